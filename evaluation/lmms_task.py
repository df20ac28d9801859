"""Read a task of lmms-eval (a YAML file and its functions) as a labelled set.

Questions, pictures and answers are made by the task's own functions, and its own `process_results`
grades, so that the accuracy is the harness's to the item; where a task has none, Barn's metric for
its kind of question does. The functions are the task author's Python and are run here, as lmms-eval
runs them.
"""

import ast
import hashlib
import importlib.util
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import yaml
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment
from PIL import Image

from evaluation.offline import DatasetError, Item

Doc = Mapping[str, Any]
_TEMPLATES = SandboxedEnvironment()
_WORDINGS = ("lmms_eval_specific_kwargs", "model_specific_prompt_kwargs")
"""Where a task keeps its prompts: today's name, and the one before it."""


def read_task(path: Path, limit: int) -> list[Item]:
    """Read the first `limit` questions of a task.

    Raises:
        DatasetError: the file is no such task, its data or functions cannot be loaded, or one of
            its documents is not one question about at most one picture.
    """
    try:
        task = _Task.load(path)
        docs = list(islice(task.docs(), limit))
    except DatasetError:
        raise
    except Exception as error:  # the task's own code may raise anything
        raise DatasetError(f"{path}: {type(error).__name__}: {error}") from error
    items = []
    for number, doc in enumerate(docs):
        try:
            items.append(task.item(number, doc))
        except Exception as error:
            raise DatasetError(f"{path}, document {number}: {error}") from error
    if not items:
        raise DatasetError(f"{path} holds no questions")
    return items


@dataclass(frozen=True, slots=True)
class _Task:
    """One task: its settings, with functions in place of their names."""

    path: Path
    told: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path) -> "_Task":
        told = _settings(path)
        for key in ("dataset_path", "doc_to_text", "doc_to_target"):
            if key not in told:
                raise DatasetError(f"{path} is no task of lmms-eval: no key {key!r}")
        if told.get("output_type", "generate_until") != "generate_until":
            raise DatasetError(f"{path}: output_type {told['output_type']!r}: Barn only generates")
        return cls(path, told)

    def docs(self) -> Iterator[Doc]:
        split = self.told.get("test_split") or self.told.get("validation_split")
        if split is None:
            raise DatasetError(f"{self.path}: neither test_split nor validation_split")
        kind = self.told["dataset_path"]
        if kind not in {"json", "parquet"}:
            docs = self._from_library(kind, split)
        else:
            docs = (doc for file in self._files(split) for doc in _rows(file, kind))
        if process := self.told.get("process_docs"):
            docs = iter(process(list(docs)))
        return docs

    def _files(self, split: str) -> list[Path]:
        files = (self.told.get("dataset_kwargs") or {}).get("data_files")
        named = files.get(split) if isinstance(files, dict) else files
        if not named:
            raise DatasetError(f"{self.path}: dataset_kwargs.data_files names no {split}")
        found = [self.path.parent / name for name in ([named] if isinstance(named, str) else named)]
        missing = [str(file) for file in found if not file.is_file()]
        if missing:
            raise DatasetError(f"{self.path}: no file {missing[0]}")
        return found

    def _from_library(self, name: str, split: str) -> Iterator[Doc]:
        try:
            datasets = importlib.import_module("datasets")
        except ImportError as error:
            raise DatasetError(
                f"{self.path}: dataset {name!r} is read by Hugging Face's `datasets`: "
                "pip install datasets, or save the split as JSON lines or Parquet"
            ) from error
        told: Iterator[Doc] = iter(
            datasets.load_dataset(name, self.told.get("dataset_name"), split=split)
        )
        return told

    def item(self, number: int, doc: Doc) -> Item:
        choices = self._choices(doc)
        limit = (self.told.get("generation_kwargs") or {}).get("max_new_tokens")
        return Item(
            id=str(number),
            question=self._question(doc),
            references=self._references(doc, choices),
            image=self._picture(doc),
            choices=choices,
            grader=self._grader(doc),
            max_tokens=None if limit is None else int(limit),
        )

    def _question(self, doc: Doc) -> str:
        said = self.told["doc_to_text"]
        if not callable(said):
            return str(_value(said, doc))
        wording = next((self.told[name] for name in _WORDINGS if name in self.told), None)
        if isinstance(wording, dict) and "default" in wording:
            wording = wording["default"]
        return str(said(doc) if wording is None else said(doc, wording))

    def _choices(self, doc: Doc) -> tuple[str, ...]:
        said = self.told.get("doc_to_choice")
        if said is None:
            return ()
        found = said if isinstance(said, list) else _value(said, doc)
        if isinstance(found, str):  # a template can only say a list in words
            found = ast.literal_eval(found)
        if not isinstance(found, list | tuple):
            raise DatasetError(f"doc_to_choice gives {found!r}, which is no list")
        return tuple(map(str, found))

    def _references(self, doc: Doc, choices: tuple[str, ...]) -> tuple[str, ...]:
        value = _value(self.told["doc_to_target"], doc)
        by_template = isinstance(value, str) and self.told["doc_to_target"] not in doc
        if choices and (isinstance(value, int) or (by_template and value.isdigit())):
            value = choices[int(value)]
        return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)

    def _picture(self, doc: Doc) -> bytes | None:
        said = self.told.get("doc_to_visual")
        seen = [] if said is None else _value(said, doc)
        pictures = [p for p in (seen if isinstance(seen, list) else [seen]) if p is not None]
        if len(pictures) > 1:
            raise DatasetError(f"{len(pictures)} pictures; a question here has at most one")
        return _encoded(pictures[0], self.path.parent) if pictures else None

    def _grader(self, doc: Doc) -> Callable[[str], float] | None:
        process = self.told.get("process_results")
        if process is None:
            return None
        metrics = self.told.get("metric_list") or ()
        names = [str(m["metric"]) for m in metrics]
        if any(m.get("higher_is_better") is False for m in metrics[:1]):
            raise DatasetError(
                f"{names[0]} is better when lower; a grade here is better when higher"
            )

        def grade(answer: str) -> float:
            try:
                told = process(doc, [answer])
                value = next(told[n] for n in names if isinstance(told.get(n), int | float))
            except StopIteration as error:
                named = ", ".join(names) or "a metric"
                raise DatasetError(
                    f"{self.path}: process_results gives no number for {named}"
                ) from error
            except Exception as error:  # the task's own code may raise anything
                raise DatasetError(f"{self.path}: process_results: {error!r}") from error
            if not 0 <= value <= 1:
                raise DatasetError(
                    f"{self.path}: process_results gives {value}, not within 0 and 1"
                )
            return float(value)

        return grade


def _settings(path: Path) -> dict[str, Any]:
    """The YAML with its includes; what `!function module.name` names is loaded."""
    modules: dict[Path, ModuleType] = {}

    class Loader(yaml.SafeLoader):
        pass

    def function(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
        module, _, name = loader.construct_scalar(node).rpartition(".")
        file = path.parent / f"{module}.py"
        if file not in modules:
            modules[file] = _module(file)
        return getattr(modules[file], name)

    Loader.add_constructor("!function", function)
    told = yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a safe loader
    if not isinstance(told, dict):
        raise DatasetError(f"{path} is no task of lmms-eval: expected keys and values")
    if include := told.pop("include", None):
        return _settings(path.parent / include) | told
    return dict(told)


def _module(file: Path) -> ModuleType:
    name = f"barn_task_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise DatasetError(f"no file {file} to take the task's functions from")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look themselves up there
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise DatasetError(f"{file} needs {error.name}: install it beside Barn") from error
    return module


def _rows(file: Path, kind: str) -> Iterator[Doc]:
    if kind == "parquet":
        for batch in pq.ParquetFile(file).iter_batches(256):
            for row in batch.to_pylist():
                yield {name: _opened(value) for name, value in row.items()}
        return
    text = file.read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        yield from json.loads(text)
        return
    yield from (json.loads(line) for line in text.split("\n") if line.strip())


def _opened(value: Any) -> Any:
    """A picture where `datasets` keeps one: its bytes and the path that it came from."""
    if isinstance(value, dict) and value.keys() == {"bytes", "path"} and value["bytes"]:
        return Image.open(io.BytesIO(value["bytes"]))
    return value


def _value(said: Any, doc: Doc) -> Any:
    """What a function, a column's name or a template makes of a document."""
    if callable(said):
        return said(doc)
    if said in doc:
        return doc[said]
    try:
        return _TEMPLATES.from_string(str(said)).render(**doc)
    except TemplateError as error:
        raise DatasetError(f"{said!r} is neither a column nor a template: {error}") from error


def _encoded(picture: Any, folder: Path) -> bytes:
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, str):
        return (folder / picture).read_bytes()
    told = io.BytesIO()
    picture.convert("RGB").save(told, "PNG")
    return told.getvalue()
