import numpy as np
import pytest
from easy_vqa import get_test_questions
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from routing.domain import Family, ImageFacts, Query, Task
from routing.features import image_facts, look
from routing.tasks import TaskScores, classify, shipped
from training.data.items import REASONING_SKILLS
from training.data.mixture import make_item

PICTURE = (ImageFacts(64, 64),)


@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("What shape is this?", Task.RECOGNITION),
        ("What color is the bus?", Task.ATTRIBUTE),
        ("How many dogs are there?", Task.COUNTING),
        ("Where is the cup?", Task.SPATIAL),
        ("What does the sign say?", Task.OCR),
        ("What is the value of the red bar?", Task.EXTRACTION),
        ("Describe the picture.", Task.CAPTIONING),
        ("Is there a person in the image?", Task.EXISTENCE),
        ("What is 7 + 5?", Task.ARITHMETIC),
        ("What number comes next?", Task.ARITHMETIC),
        ("Find the perimeter of the parallelogram.", Task.GEOMETRY),
        ("What is the sum of the red and blue bars?", Task.CHART),
        ("In the food web, what eats the plant?", Task.SCIENCE),
        ("What colour is the shape left of the star?", Task.MULTI_HOP),
        ("Why is the man running?", Task.COMMONSENSE),
        ("Who invented this machine?", Task.KNOWLEDGE),
        ("What does this program print?", Task.CODE),
        ("WHAT COLOR IS THE BUS? Answer the question using a single word.", Task.ATTRIBUTE),
    ],
)
def test_a_question_has_the_task_that_its_words_say(question: str, task: Task) -> None:
    assert classify(Query(question, PICTURE)).task is task


def test_no_picture_and_no_cue_is_chat() -> None:
    assert classify(Query("hello")).task is Task.CHAT


@given(st.text(max_size=900), st.sampled_from([PICTURE, ()]))
def test_any_text_has_probabilities(text: str, images: tuple[ImageFacts, ...]) -> None:
    scores = classify(Query(text, images))

    assert sum(scores.probability.values()) == pytest.approx(1.0, abs=1e-4)
    assert scores.probability.keys() == set(Task)
    assert 0.0 <= scores.vision <= 1.0 + 1e-6


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_no_text_falls_back_with_low_confidence(text: str) -> None:
    seen, unseen = classify(Query(text, PICTURE)), classify(Query(text))

    assert (seen.task, unseen.task) == (Task.RECOGNITION, Task.CHAT)
    assert seen.probability[seen.task] == 0.3


@pytest.mark.parametrize(
    "text",
    [
        "WHAT COLOR IS THE CAR?",
        "wha color is the car",
        "What color is the car? Answer the question using a single word or phrase.",
        "Please answer with one word. What color is the car?",
    ],
)
def test_case_typos_and_instructions_do_not_change_the_task(text: str) -> None:
    assert classify(Query(text, PICTURE)).task is Task.ATTRIBUTE


@pytest.mark.parametrize(
    "text", ["这是什么颜色", "Какого цвета машина?", "ما هذا؟", "😀😀😀", "\ud90c"]
)
def test_other_scripts_fall_back_with_low_confidence(text: str) -> None:
    seen, unseen = classify(Query(text, PICTURE)), classify(Query(text))

    assert (seen.task, unseen.task) == (Task.RECOGNITION, Task.CHAT)  # as the package documents
    assert max(seen.probability.values()) == max(unseen.probability.values()) == 0.3
    assert sum(seen.probability.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["Welche Farbe hat das Auto?", "3+4=", "naïve café"])
def test_latin_letters_and_numbers_are_read(text: str) -> None:
    assert classify(Query(text, PICTURE)).evidence.startswith("its words")


def test_the_last_turn_counts_most_and_earlier_ones_a_little() -> None:
    now, before = "What color is the car?", "What is 12 plus 30?"
    alone = classify(Query(now, PICTURE))
    after = classify(Query(now, PICTURE, earlier=(before,)))

    assert after.task is alone.task is Task.ATTRIBUTE
    assert after.probability[Task.ARITHMETIC] > alone.probability[Task.ARITHMETIC]
    vague = Query("and the other one?", PICTURE)
    followed = Query("and the other one?", PICTURE, earlier=(now,))
    assert (
        classify(followed).probability[Task.ATTRIBUTE] > classify(vague).probability[Task.ATTRIBUTE]
    )


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    texts = ["What color is it?", "Find the area of triangle ABC.", "hi", "这是什么颜色"]

    together = shipped().many(texts)

    for text, row in zip(texts, together, strict=True):
        alone = classify(Query(text)).probability
        assert row == pytest.approx([alone[t] for t in shipped().tasks], abs=1e-4)


def test_easy_vqa_is_vision_heavy() -> None:
    questions = set(get_test_questions()[0])

    families = [classify(Query(q, PICTURE)).family for q in questions]

    assert families.count(Family.VISION) / len(families) > 0.97


def test_the_family_of_the_embedded_zoos_questions_is_known() -> None:
    asked = [a for i in range(400) for a in make_item(11, "test", i).asked]

    right = [
        (classify(Query(a.question, PICTURE)).family is Family.REASONING)
        == (a.skill in REASONING_SKILLS)
        for a in asked
    ]

    assert sum(right) / len(right) > 0.93


def test_what_decides_is_nearly_all_of_the_probability() -> None:
    sure = TaskScores({Task.OCR: 0.985, Task.CHART: 0.015})
    unsure = classify(Query("这是什么颜色", (ImageFacts(64, 64),)))

    assert dict(sure.likely) == {Task.OCR: 1.0}
    assert dict(unsure.likely)[unsure.task] == pytest.approx(0.3 / 0.98, abs=0.02)
    assert unsure.top(1) == {"recognition": 0.3}


def test_the_newest_picture_of_a_conversation_counts() -> None:
    photo, chart = ImageFacts(64, 64, edges=0.4), ImageFacts(64, 64, chart=1.0)

    assert image_facts((photo, chart)) == image_facts((chart,))


def test_pictures_move_what_text_leaves_open() -> None:
    chart = ImageFacts(400, 300, 0.05, 0.02, 0.2, 0.8, 0.1, 0.9)
    text = "how much is it?"

    seen = classify(Query(text, (chart,))).probability[Task.CHART]

    assert seen > classify(Query(text, PICTURE)).probability[Task.CHART]


def test_a_picture_of_writing_looks_like_text_and_a_chart_like_a_chart() -> None:
    writing = Image.new("RGB", (128, 128), "white")
    pen = ImageDraw.Draw(writing)
    for y in range(10, 120, 24):
        pen.text((6, y), "some words in a row", fill="black")
    bars = Image.new("RGB", (128, 128), "white")
    pen = ImageDraw.Draw(bars)
    pen.line((10, 5, 10, 118), fill="black")
    for k, height in enumerate((40, 80, 60)):
        pen.rectangle(
            (20 + 34 * k, 118 - height, 44 + 34 * k, 118), fill=("red", "blue", "green")[k]
        )
    blank = Image.new("RGB", (128, 128), "white")

    text, chart, nothing = (look(np.asarray(i), *i.size) for i in (writing, bars, blank))

    assert text.text > chart.text
    assert chart.chart > text.chart
    assert (nothing.text, nothing.chart, nothing.edges) == (0.0, 0.0, 0.0)
