"""Notebooks run from top to bottom, each in a kernel of its own."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"


def run_notebook(name, tmp_path, monkeypatch):
    """Run a notebook with few steps, in an empty folder."""
    monkeypatch.setenv("STEPS", "4")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
