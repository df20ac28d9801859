import pytest
from easy_vqa import get_test_questions
from hypothesis import given
from hypothesis import strategies as st

from routing.domain import Family, ImageFacts, Query, Task
from routing.tasks import classify
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


@given(st.text(max_size=300))
def test_any_text_has_a_task(text: str) -> None:
    assert classify(Query(text, PICTURE)).task in Task


def test_easy_vqa_is_vision_heavy() -> None:
    questions = set(get_test_questions()[0])

    families = [classify(Query(q, PICTURE)).task.family for q in questions]

    assert families.count(Family.VISION) / len(families) > 0.95


def test_the_rule_knows_the_family_of_the_embedded_zoos_questions() -> None:
    asked = [a for i in range(400) for a in make_item(11, "test", i).asked]

    right = [
        (classify(Query(a.question, PICTURE)).task.family is Family.REASONING)
        == (a.skill in REASONING_SKILLS)
        for a in asked
    ]

    assert sum(right) / len(right) > 0.9
