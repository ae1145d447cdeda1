"""Examples of docstrings run, and what their comments say is what comes out.

An example that uses a name from nowhere, such as `model`, goes on from others and is
left out; one that reads files that are not here may say so.
"""

import ast
import builtins
import importlib
import inspect
import re
import textwrap

import keras
import numpy as np
import pytest
from keras import ops
from media_files import write_ramp

import keras_avrep
from keras_avrep.data import read_orchestra, scan_folder
from keras_avrep.worlds import OrchestraWorld, render_world

# room → how many examples run there, at least
ROOMS = {
    "backbones": 4, "data": 18, "evaluation": 25, "export": 0, "layers": 48,
    "losses": 35, "models": 8, "report": 0, "training": 5, "views": 17, "worlds": 5,
}  # fmt: skip
# What is said where a file of the reader's own is missing.
MISSING = re.compile(
    "no such file|No such file|is not a folder|is missing|There is no|holds no "
    "|has no stems|Unknown preset"
)
# Their `manifest` and `record` are of moments, not of videos.
OF_MOMENTS = {
    "MomentSource", "moment_set", "read_moment", "read_stems", "sounding_truth",
}  # fmt: skip


def public(room):
    """Names and objects of a room, their public methods too, each once."""
    module = importlib.import_module(f"keras_avrep.{room}")
    for name in module.__all__:
        symbol = getattr(module, name)
        if getattr(symbol, "__module__", "").startswith("keras_avrep"):
            yield name, symbol, symbol
            if inspect.isclass(symbol):
                for part, method in vars(symbol).items():
                    if not part.startswith("_") and not inspect.isclass(method):
                        yield f"{name}.{part}", method, symbol


def examples(room):
    """Name, code, and the names that the code may use, of a room's examples."""
    every = {"keras": keras, "np": np, "keras_avrep": keras_avrep}
    for other in ROOMS:
        module = importlib.import_module(f"keras_avrep.{other}")
        every |= {name: getattr(module, name) for name in module.__all__}
    for name, documented, symbol in public(room):
        text = inspect.cleandoc(documented.__doc__ or "")
        for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            home = vars(importlib.import_module(symbol.__module__))
            yield name, textwrap.dedent(code), {**every, **home}


def unknown_names(code, known):
    """Names that the code uses and does not make."""
    tree = ast.parse(code)
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    made = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    made |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
    made |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    return {n.id for n in names} - made - set(known) - set(vars(builtins))


def run(code, names):
    """Run an example; what it gives where a comment tells it, and that comment."""
    lines, found = code.splitlines(), []
    for statement in ast.parse(code).body:
        if not isinstance(statement, ast.Expr):
            exec(compile(ast.Module([statement], []), "example", "exec"), names)
            continue
        value = eval(compile(ast.Expression(statement.value), "example", "eval"), names)
        last = statement.end_lineno
        comment = lines[last - 1][statement.end_col_offset :].strip()
        comment = (comment or "".join(lines[last : last + 1])).removeprefix("# ")
        try:
            found.append((value, ast.literal_eval(comment), comment))
        except (SyntaxError, ValueError):
            continue  # said in words
    return found


def agrees(value, told, comment):
    """Whether a value is what a comment says, to the places that it gives."""
    places = max((len(n) for n in re.findall(r"\.(\d+)", comment)), default=0)
    tolerance = 0.51 * 10.0**-places if places else 1e-4
    value, told = flat(value), flat(told)
    if value.dtype.kind in "US" or told.dtype.kind in "US":
        return value.tolist() == told.tolist()
    return value.shape == told.shape and np.allclose(value, told, atol=tolerance)


def flat(value):
    """All numbers or strings of a value in one row."""
    leaves = keras.tree.flatten(value)
    arrays = [x if isinstance(x, str) else ops.convert_to_numpy(x) for x in leaves]
    return np.concatenate([np.ravel(x) for x in arrays])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what examples read: a video, videos of a class, duets."""
    folder = tmp_path_factory.mktemp("examples")
    write_ramp(folder / "juggling.mp4", audio=np.zeros(32000, np.float32))
    for number in range(8):
        write_ramp(folder / "videos" / "walk" / f"{number}.mp4")
    world = OrchestraWorld("duet", seconds=4)
    render_world(world, folder / "duets", {"test": 8})
    return folder


@pytest.fixture(scope="module")
def manifests(folder):
    return scan_folder(folder / "videos"), read_orchestra(folder / "duets")


@pytest.mark.parametrize("room", ROOMS)
def test_examples_run_and_their_comments_are_true(room, folder, manifests, monkeypatch):
    monkeypatch.chdir(folder)
    count, wrong = 0, []
    for name, code, known in examples(room):
        manifest = manifests[name in OF_MOMENTS]
        names = {**known, "manifest": manifest, "record": manifest.records[0]}
        if unknown_names(code, names):
            continue
        try:
            found = run(code, names)
        except Exception as error:
            if not MISSING.search(str(error)):
                wrong.append(f"{name}: {type(error).__name__}: {error}")
            continue
        count += 1
        wrong += [
            f"{name}: {comment} is told but it is {value}"
            for value, expected, comment in found
            if not agrees(value, expected, comment)
        ]
    assert not wrong, "\n".join(wrong)
    assert count >= ROOMS[room]
