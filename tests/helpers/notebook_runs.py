"""Notebooks run from top to bottom, each in a kernel of its own."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"


UNTRACED = "import tensorflow as tf; tf.config.run_functions_eagerly(True)"


def run_notebook(name, tmp_path, monkeypatch, traced=True):
    """Run a notebook with few steps, in an empty folder.

    Where its steps are not `traced`, they take less time than tracing them would.
    """
    monkeypatch.setenv("STEPS", "4")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    if not traced:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(UNTRACED))
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
