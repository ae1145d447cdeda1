PYTHON ?= python3
VENV := .venv
DATA =
OUT = $(if $(DATA),runs/mine,runs/demo)

# Said before pip says it in forty lines.
FITS = import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 14) else \
	"$(PYTHON) is Python %d.%d; keras-avrep needs 3.11, 3.12 or 3.13: " % v[:2] + \
	"make $(MAKECMDGOALS) PYTHON=python3.12")

.PHONY: demo test test-jax lint
$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c '$(FITS)'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --disable-pip-version-check -q -e ".[test]"
	touch $@

lint: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

# Two processes, a file each: tracing and compiling keep one core busy only. The
# order is that of `tests/conftest.py`.
test: lint
	TF_CPP_MIN_LOG_LEVEL=3 PYTHONDONTWRITEBYTECODE= $(VENV)/bin/python -m pytest -n 2 --dist loadfile \
		--no-loadscope-reorder

# What `tests/other_backends_test.py` does with torch; JAX takes minutes.
test-jax: $(VENV)/installed
	KERAS_BACKEND=jax JAX_DISABLE_MOST_OPTIMIZATIONS=1 $(VENV)/bin/python -m pytest \
		-n 2 --dist loadfile --no-loadscope-reorder tests/kernels tests/layers tests/losses tests/views \
		tests/evaluation/localization_metrics_test.py \
		tests/evaluation/interference_metrics_test.py

# Only what the demo needs: no test tools, no other backends; of what is installed few
# modules are imported, which compiles those, once.
$(VENV)/runtime: pyproject.toml
	@$(PYTHON) -c '$(FITS)'
	$(PYTHON) -m venv $(VENV)
	@echo "installing (a minute or two) ..."
	$(VENV)/bin/python -m pip install --disable-pip-version-check --no-compile -q -e .
	touch $@

demo: $(VENV)/runtime
	PYTHONDONTWRITEBYTECODE= $(VENV)/bin/keras-avrep demo --out "$(OUT)" $(if $(DATA),--data "$(DATA)")
