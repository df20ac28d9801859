"""Cases from the benchmarks' own definitions."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics.anls import anls
from evaluation.metrics.choice import choice
from evaluation.metrics.exact import contains, exact
from evaluation.metrics.grade import MetricName, Scored, Unscored, grade, metric_for
from evaluation.metrics.normalise import vqa_normalise
from evaluation.metrics.numbers import number, relaxed
from evaluation.metrics.vqa import vqa_accuracy
from evaluation.metrics.yesno import yes_no
from routing.domain import Task


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("A dog.", "dog"),
        ("the  Two dogs", "2 dogs"),
        ("it's 2.5 m", "it's 2.5 m"),
        ("1,000", "1000"),
        ("dont", "don't"),
        ("red/blue", "red blue"),
        ("none", "0"),
        ("U.S.", "us"),
        ("x-y;-z", "x y z"),
    ],
)
def test_answers_are_normalised_as_the_vqa_evaluation_does(text: str, plain: str) -> None:
    assert vqa_normalise(text) == plain


@pytest.mark.parametrize(
    ("agreeing", "score"), [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)]
)
def test_vqa_accuracy_is_the_mean_over_leave_one_out_sets(agreeing: int, score: float) -> None:
    references = ["cat"] * agreeing + [f"other {i}" for i in range(10 - agreeing)]

    assert vqa_accuracy("cat", references) == pytest.approx(score)


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("B", 1.0), ("(b)", 1.0), ("B. a dog", 1.0), ("a dog", 1.0), ("The answer is B", 1.0),
        ("It is a dog, clearly", 1.0), ("A", 0.0), ("a cat or a dog", 0.0),
        ("The answer is a dog.", 1.0), ("A small dog? No: a dog", 1.0), ("", 0.0), ("Z", 0.0),
        ("I think it is B", 1.0), ("Option B is correct", 1.0), ("(A) is wrong, so (B)", 1.0),
        ("The answer is B because x", 1.0), ("Answer: B\n\nExplanation: it barks", 1.0),
        ("A. a cat", 0.0), ("a", 0.0), ("Answer: option C", 0.0), ("It's b.", 0.0),
    ],
)  # fmt: skip
def test_a_choice_is_named_by_letter_or_by_text(answer: str, score: float) -> None:
    assert choice(answer, ("a dog",), ("a cat", "a dog", "a cow")) == score


def test_no_answer_is_no_choice_though_an_article_is_normalised_to_nothing() -> None:
    options = ("A", "B", "C", "D")
    assert (choice("", ("A",), options), choice("A", ("A",), options)) == (0.0, 1.0)
    assert (exact("", ("A",)), exact("A", ("A",))) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("95", "100", 1.0), ("94.9", "100", 0.0), ("105", "100", 1.0), ("105.1", "100", 0.0),
        ("0", "0", 1.0), ("0.01", "0", 0.0), ("52%", "0.5", 1.0), ("1,000", "1000", 0.0),
        ("two", "2", 0.0), ("the north", "North", 0.0), ("$1000", "1000", 0.0),
        ("Yes", "yes", 1.0), ("2019", "twenty", 0.0), ("-96", "-100", 1.0),
    ],
)  # fmt: skip
def test_charts_allow_five_per_cent(answer: str, reference: str, score: float) -> None:
    assert relaxed(answer, (reference,)) == score


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        (r"\boxed{12}", "12", 1.0), (r"$\frac{3}{4}$", "0.75", 1.0), ("3/4", "0.75", 1.0),
        ("first 3, then 5", "5", 1.0), ("1.26", "1.3", 1.0), ("1.2", "1.3", 0.0), ("x", "5", 0.0),
        ("7/0", "5", 0.0), ("50%", "1/2", 1.0), ("1e3", "1000", 1.0), ("north", "North", 1.0),
        ("12.5%", "12.5%", 1.0), ("0.125", "12.5%", 1.0), ("12.52%", "12.5%", 1.0),
        ("10%", "12.5%", 0.0), ("13%", "12.5%", 0.0), ("0.1", "12.5%", 0.0),
    ],
)  # fmt: skip
def test_mathematics_compares_values(answer: str, reference: str, score: float) -> None:
    assert number(answer, (reference,)) == score


def test_anls_follows_biten_et_al() -> None:
    assert anls("invoice 12", ("Invoice 12", "bill")) == 1.0
    assert anls("invoise 12", ("invoice 12",)) == pytest.approx(0.9)
    assert anls("abcd", ("wxyz",)) == 0.0
    assert anls("ab", ("abcd",)) == 0.0  # half the characters differ: at the threshold, nothing
    assert anls("", ("",)) == 1.0


@given(st.text("abc", min_size=1, max_size=9), st.text("abc", min_size=1, max_size=9))
def test_anls_is_its_formula(a: str, b: str) -> None:
    @cache
    def edits(i: int, j: int) -> int:  # Levenshtein's distance, by its definition
        if not i or not j:
            return i + j
        change = edits(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(edits(i - 1, j) + 1, edits(i, j - 1) + 1, change)

    distance = edits(len(a), len(b)) / max(len(a), len(b))

    assert anls(a, (b,)) == pytest.approx(1 - distance if distance < 0.5 else 0.0)


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("Yes, there is.", "yes", 1.0), ("There is no dog.", "no", 1.0), ("No.", "yes", 0.0),
        ("It is not there. Yes?", "no", 1.0), ("maybe", "no", 0.0),
        ("There is a dog.", "yes", 1.0), ("", "yes", 0.0), ("Not that I see", "yes", 0.0),
    ],
)  # fmt: skip
def test_existence_probes_read_yes_or_no(answer: str, reference: str, score: float) -> None:
    assert yes_no(answer, (reference,)) == score


def test_ocrbench_asks_for_containment() -> None:
    assert contains("the sign says  STOP here", ("stop",)) == 1.0
    assert contains("go", ("stop",)) == 0.0


@pytest.mark.parametrize(
    ("task", "references", "choices", "metric"),
    [
        (Task.RECOGNITION, ("cat",), (), "exact"),
        (Task.RECOGNITION, ("cat",) * 10, (), "vqa"),
        (Task.SCIENCE, ("B",), ("a", "b"), "choice"),
        (Task.CHART, ("12",), (), "relaxed"),
        (Task.CHART, ("yes",), (), "yes_no"),
        (Task.EXTRACTION, ("12 May",), (), "anls"),
        (Task.ARITHMETIC, ("12",), (), "number"),
        (Task.EXISTENCE, ("two dogs",), (), "exact"),
    ],
)
def test_each_task_is_graded_by_its_benchmarks_metric(
    task: Task, references: tuple[str, ...], choices: tuple[str, ...], metric: MetricName
) -> None:
    assert metric_for(task, references, choices) == metric


@pytest.mark.parametrize("task", [Task.EXISTENCE, Task.ARITHMETIC, Task.CHART, Task.RECOGNITION])
def test_annotators_who_disagree_are_counted_whatever_the_task(task: Task) -> None:
    told = ("yes",) * 9 + ("no",)

    dissent = grade("no", told, task=task)
    assert isinstance(dissent, Scored)
    assert dissent.metric == "vqa"
    assert dissent.value == pytest.approx(0.3)
    assert grade("yes", told, task=task) == Scored("vqa", 1.0)
    assert grade("Yes, there is.", ("yes",) * 10, task=task) == Scored("yes_no", 1.0)


def test_without_a_reference_there_is_no_grade() -> None:
    assert grade("cat", (" ",), task=Task.RECOGNITION) == Unscored("no reference")


@given(st.sampled_from(list(Task)), st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_a_grade_is_in_range_whatever_is_said(task: Task, answer: str, reference: str) -> None:
    told = grade(answer, (reference,), task=task)

    assert isinstance(told, Unscored) or 0.0 <= told.value <= 1.0


@given(st.sampled_from(["red", "12", "yes", "North Sea", "3/4"]), st.sampled_from(list(Task)))
def test_the_reference_itself_is_always_right(reference: str, task: Task) -> None:
    told = grade(reference, (reference,), task=task)

    assert isinstance(told, Scored)
    assert told.value == 1.0
    assert exact(reference, (reference,)) == 1.0
