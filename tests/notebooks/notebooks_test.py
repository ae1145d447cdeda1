"""Every notebook has a test file, so that they run side by side."""

from pathlib import Path

from notebook_runs import FOLDER


def test_every_notebook_is_run():
    tests = "".join(
        path.read_text() for path in Path(__file__).parent.glob("*_test.py")
    )
    notebooks = [path.stem for path in FOLDER.glob("*.ipynb")]
    assert notebooks
    for name in notebooks:
        assert f'run_notebook("{name}"' in tests, name
