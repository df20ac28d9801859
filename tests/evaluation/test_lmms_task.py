"""Tasks of lmms-eval as labelled sets; the harness itself runs in `tests/system`."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from evaluation.lmms_task import read_task
from evaluation.offline import DatasetError, fingerprint, graded
from routing.domain import Task

FUNCTIONS = """
from pathlib import Path
from PIL import Image

def picture(doc):
    return [Image.open(Path(__file__).parent / doc["image"]).convert("RGB")]

def both(doc):
    return picture(doc) * 2

def text(doc, lmms_eval_specific_kwargs):
    kwargs = lmms_eval_specific_kwargs
    return kwargs["pre_prompt"] + doc["question"] + kwargs["post_prompt"]

def half(doc, results):
    return {"ignored": "n/a", "half": 0.5 if results[0] == doc["answer"] else 0.0}

def broken(doc, results):
    return {"other": 1 / 0}

def listed(doc, results):
    return [1.0]

def percent(doc, results):
    return {"half": 50.0}

def wordy(doc, results):
    return {"half": "half"}
"""
DOCS = [
    {
        "question": "what color is it?",
        "answer": "red",
        "image": "red.png",
        "options": ["red", "blue"],
    },
    {"question": "how many?", "answer": "2", "image": "red.png", "options": ["1", "2"]},
]
PLAIN = {
    "task": "t",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": "docs.jsonl"}},
    "test_split": "test",
    "doc_to_text": "question",
    "doc_to_target": "answer",
}


def png() -> bytes:
    told = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(told, "PNG")
    return told.getvalue()


def task(folder: Path, functions: str = "", **changed: Any) -> Path:
    """Write a task; the keys of `changed` replace those of `PLAIN`, None leaves one out."""
    told = {k: v for k, v in (PLAIN | changed).items() if v is not None}
    lines = [f"{key}: {value if isinstance(value, str) else json.dumps(value)}" for key, value in
             told.items()]  # fmt: skip
    (folder / "task.yaml").write_text("\n".join(lines))
    (folder / "utils.py").write_text(FUNCTIONS + functions)
    (folder / "red.png").write_bytes(png())
    (folder / "docs.jsonl").write_text("\n".join(map(json.dumps, DOCS)) + "\n")
    return folder / "task.yaml"


def test_columns_are_taken_as_they_are(tmp_path: Path) -> None:
    first, second = read_task(task(tmp_path, doc_to_visual="image"), 10)

    assert (first.question, first.references, first.image) == ("what color is it?", ("red",), png())
    assert second.id == "1"
    assert graded(first, "Red.", Task.ATTRIBUTE) == (1.0, "exact")
    assert len(read_task(tmp_path / "task.yaml", 1)) == 1


def test_functions_make_the_question_the_picture_and_the_grade(tmp_path: Path) -> None:
    path = task(
        tmp_path,
        doc_to_text="!function utils.text",
        doc_to_visual="!function utils.picture",
        process_results="!function utils.half",
        metric_list=[{"metric": "ignored"}, {"metric": "half"}],
        lmms_eval_specific_kwargs={"default": {"pre_prompt": "Q: ", "post_prompt": " One word."}},
        generation_kwargs={"max_new_tokens": 5},
    )
    first = read_task(path, 10)[0]

    assert first.question == "Q: what color is it? One word."
    assert first.image is not None
    assert Image.open(io.BytesIO(first.image)).size == (8, 8)
    assert graded(first, "red", Task.ATTRIBUTE) == (0.5, "the set's own")
    assert graded(first, "Red.", Task.ATTRIBUTE)[0] == 0.0  # its own idea of equality, not ours
    assert fingerprint(first, 24) == fingerprint(first, 99)  # its own limit of tokens


def test_templates_choices_and_included_settings_are_understood(tmp_path: Path) -> None:
    path = task(
        tmp_path,
        doc_to_text="'{{question}} {{options | join(\" or \")}}'",
        doc_to_choice="options",
        doc_to_target="!function utils.which",
        functions="\ndef which(doc):\n    return doc['options'].index(doc['answer'])\n",
    )
    (tmp_path / "all.yaml").write_text("include: task.yaml\ntask: another\n")

    first, second = read_task(tmp_path / "all.yaml", 10)

    assert path.is_file()
    assert first.question == "what color is it? red or blue"
    assert (first.choices, first.references) == (("red", "blue"), ("red",))
    assert second.references == ("2",)


def test_templates_may_make_choices_and_say_which_is_right(tmp_path: Path) -> None:
    path = task(
        tmp_path,
        doc_to_choice="'{{options}}'",
        doc_to_target="'{{options.index(answer)}}'",
    )
    first, second = read_task(path, 10)

    assert (first.choices, first.references) == (("red", "blue"), ("red",))
    assert second.references == ("2",)


def test_pictures_come_out_of_parquet(tmp_path: Path) -> None:
    rows = [{"question": "q", "answer": ["a", "b"], "image": {"bytes": png(), "path": "x.png"}}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "docs.parquet")
    path = task(
        tmp_path,
        dataset_path="parquet",
        dataset_kwargs={"data_files": {"test": ["docs.parquet"]}},
        doc_to_visual="!function utils.column",
        functions="\ndef column(doc):\n    return [doc['image'].convert('RGB')]\n",
    )
    (only,) = read_task(path, 10)

    assert only.references == ("a", "b")
    assert only.image is not None
    assert Image.open(io.BytesIO(only.image)).size == (8, 8)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"doc_to_target": None}, "no key 'doc_to_target'"),
        ({"output_type": "loglikelihood"}, "Barn only generates"),
        ({"test_split": None}, "neither test_split"),
        ({"dataset_kwargs": {"data_files": {"test": "away.jsonl"}}}, "no file"),
        ({"dataset_path": "org/set"}, "pip install datasets"),
        ({"doc_to_text": "!function away.text"}, "no file"),
        ({"doc_to_text": "!function utils.away"}, "has no attribute"),
        ({"doc_to_text": "'{{'"}, "neither a column nor a template"),
        ({"doc_to_visual": "!function utils.both"}, "document 0: 2 pictures"),
        (
            {"functions": "\nimport away_lib\n", "doc_to_visual": "!function utils.both"},
            "needs away_lib",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_task_is_said(
    tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(DatasetError, match=says):
        read_task(task(tmp_path, **changed), 10)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("broken", "process_results: ZeroDivisionError"),
        ("listed", "process_results: AttributeError"),
        ("percent", "gives 50.0, not within 0 and 1"),
        ("wordy", "gives no number for half"),
    ],
)
def test_a_grader_that_fails_says_so(tmp_path: Path, function: str, says: str) -> None:
    path = task(
        tmp_path, process_results=f"!function utils.{function}", metric_list=[{"metric": "half"}]
    )
    with pytest.raises(DatasetError, match=says):
        graded(read_task(path, 1)[0], "red", Task.ATTRIBUTE)


def test_a_metric_that_is_better_when_lower_is_refused(tmp_path: Path) -> None:
    path = task(
        tmp_path,
        process_results="!function utils.half",
        metric_list=[{"metric": "half", "higher_is_better": False}],
    )
    with pytest.raises(DatasetError, match="better when lower"):
        read_task(path, 1)
