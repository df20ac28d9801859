"""lmms-eval, pointed at Barn as at any OpenAI-compatible model: the same accuracy to the item."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.offline import read_answers
from tests.system.conftest import ROOT, Service
from training.datasets import easy_vqa, synthetic

PYTHON = ROOT / ".venv-lmms-eval" / "bin" / "python"
BACKBONE = "llava-llama-3"

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PYTHON.is_file(), reason=f"no lmms-eval at {PYTHON}"),
]

TASK = """\
task: barn_local
dataset_path: json
dataset_kwargs:
  data_files:
    test: ../questions.jsonl
test_split: test
output_type: generate_until
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_target: answer
process_results: !function utils.process_results
generation_kwargs:
  max_new_tokens: 24
  temperature: 0
  do_sample: false
metric_list:
  - metric: vqa_exact
    aggregation: mean
    higher_is_better: true
metadata:
  - version: 0.0
"""

UTILS = '''\
"""The task's functions; the normalisation is lmms-eval's own copy of VQA's."""
from pathlib import Path

from lmms_eval.tasks._task_utils.vqa_eval_metric import EvalAIAnswerProcessor
from PIL import Image

FOLDER = Path(__file__).parents[1]
normal = EvalAIAnswerProcessor()


def doc_to_visual(doc):
    with Image.open(FOLDER / doc["image"]) as image:
        return [image.convert("RGB")]


def doc_to_text(doc, lmms_eval_specific_kwargs=None):
    return doc["question"]


def process_results(doc, results):
    right = normal(results[0]) == normal(doc["answer"])
    return {"vqa_exact": float(right), "item": doc["id"]}
'''


def written(folder: Path) -> Path:
    """Write the questions, their pictures and the task; return the questions' path."""
    (folder / "images").mkdir()
    (folder / "tasks").mkdir()
    lines = []
    for item in (*synthetic(30), *easy_vqa(10)):
        assert item.image is not None
        name = f"images/{item.id}.png"
        (folder / name).write_bytes(item.image)
        row = {"id": item.id, "image": name, "question": item.question,
               "answer": item.references[0], "task": item.task, "metric": item.metric}  # fmt: skip
        lines.append(json.dumps(row) + "\n")
    (folder / "tasks" / "barn_local.yaml").write_text(TASK)
    (folder / "tasks" / "utils.py").write_text(UTILS)
    questions = folder / "questions.jsonl"
    questions.write_text("".join(lines))
    return questions


def barn_scores(url: str, questions: Path, out: Path) -> dict[str, tuple[float, str]]:
    """What `barn evaluate` says of each item: its score and the answer."""
    subprocess.run(  # noqa: S603 - our own program
        [
            *(sys.executable, "-m", "serving.cli", "evaluate", str(questions)),
            *("--url", url, "--backbone", BACKBONE, "--out", str(out)),
        ],
        cwd=ROOT, check=True, timeout=200,
    )  # fmt: skip
    told = read_answers(out / questions.stem / "answers.jsonl")
    return {a.id: (a.score, a.answer.strip()) for a in told}


def lmms_scores(url: str, folder: Path) -> dict[str, tuple[float, str]]:
    """What lmms-eval says of each item: its score and the answer."""
    model = f"model_version={BACKBONE},base_url={url}/v1,api_key=EMPTY,num_concurrent=8"
    done = subprocess.run(  # noqa: S603 - the harness, installed beside us
        [
            *(str(PYTHON), "-m", "lmms_eval", "--model", "openai", "--model_args", model),
            *("--include_path", "tasks", "--tasks", "barn_local", "--batch_size", "1"),
            *("--output_path", "out", "--log_samples", "--verbosity", "DEBUG"),
        ],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    [samples] = (folder / "out").glob("*/*_samples_barn_local.jsonl")
    found = {}
    for line in samples.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        said = row["filtered_resps"]
        assert not said.startswith("[LMMS_EVAL_"), said  # a failed request is an answer to it
        found[row["item"]] = (row["vqa_exact"], said.strip())
    return found


def test_lmms_eval_and_barn_agree_on_every_item(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))  # else it writes to ~/.cache
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    questions = written(tmp_path)

    ours = barn_scores(service.url, questions, tmp_path / "evaluate")
    theirs = lmms_scores(service.url, tmp_path)

    assert len(ours) == 40
    assert theirs == ours
    assert 0 < sum(score for score, _ in ours.values()) < 40  # both kinds of item are there
