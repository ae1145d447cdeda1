"""Rooms import only what comes before them; the package imports nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import keras_avrep

ROOT = Path(keras_avrep.__file__).parent
ALLOWED = {
    "data": set(),
    "views": set(),
    "kernels": set(),
    "layers": {"kernels"},
    "losses": {"layers"},
    "worlds": {"data"},
    "backbones": {"layers"},
    "training": {"data", "kernels"},
    "models": {"backbones", "layers", "losses", "training", "views"},
    "evaluation": {"data", "training", "views"},
    "export": {"layers"},
    "report": set(),
    "cli": None,  # the door to everything
}


def imported_rooms(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "keras_avrep":
                names = [f"keras_avrep.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "keras_avrep" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_imports_never_go_back(room):
    files = list((ROOT / room).rglob("*.py"))
    assert files
    if ALLOWED[room] is None:
        return
    for path in files:
        extra = set(imported_rooms(path)) - ALLOWED[room] - {room}
        assert not extra, f"{path.relative_to(ROOT)} imports {sorted(extra)}"


def test_every_room_is_known():
    rooms = {p.name for p in ROOT.iterdir() if p.is_dir() and p.name[0] != "_"}
    assert rooms == set(ALLOWED)


@pytest.mark.parametrize("room", ["layers", "losses", "views", "models"])
def test_layers_and_models_know_no_backend(room):
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            backends = {n.split(".")[0] for n in names} & {"tensorflow", "jax", "torch"}
            assert not backends, f"{path.relative_to(ROOT)} imports {backends}"


def test_files_are_small():
    for path in ROOT.rglob("*.py"):
        lines = len(path.read_text().splitlines())
        assert lines <= 400, f"{path.relative_to(ROOT)} has {lines} lines"


def test_importing_the_package_is_silent_and_light():
    code = (
        "import sys, keras_avrep; "
        "heavy = {'tensorflow', 'keras', 'jax', 'torch', 'av'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == done.stderr == ""


def test_rooms_are_attributes_of_the_package():
    assert keras_avrep.data.scan_folder
    with pytest.raises(AttributeError, match="nonsense"):
        _ = keras_avrep.nonsense
