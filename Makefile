PYTHON ?= python3
VENV := .venv

.PHONY: test lint
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --disable-pip-version-check -q -e ".[test]"
	touch $@

lint: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

test: lint
	TF_CPP_MIN_LOG_LEVEL=3 $(VENV)/bin/python -m pytest
