"""Phases that take turns: what each does, and that a killed run ends alike."""

import functools
import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from backend_runs import start

from keras_avrep.training import CheckpointError, Phase, train_phases
from keras_avrep.training.callbacks import read_history
from keras_avrep.training.phases import _check_begun

PROGRAM = Path(__file__).with_name("phases_program.py")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    from keras_avrep.worlds import OrchestraWorld, render_world

    root = tmp_path_factory.mktemp("orchestra")
    for kind in ("solo", "duet"):
        world = OrchestraWorld(kind, num_classes=3, size=32, seconds=0.5, fps=8)
        render_world(world, root / kind, {"pretrain": 6})
    return root


def finish(videos, out, names="csol", backend="tensorflow"):
    """What the program says; what it trains is in folders of their names in `out`."""
    return start(backend, PROGRAM, names, videos, out).finish().splitlines()


def kill_after(videos, out, step, name="csol", backend="tensorflow"):
    """Start, and kill without warning once a step has been reported."""
    program = start(backend, PROGRAM, name, videos, out)
    for line in program.stdout:
        if re.match(rf"step {step}/", line):
            program.kill(signal.SIGKILL)
            break
    assert program.wait() == -signal.SIGKILL


def kill_between(videos, out, phase, name="csol", backend="tensorflow"):
    """Start, and let it kill itself right after a phase."""
    program = start(backend, PROGRAM, name, videos, out, phase)
    lines = program.stdout.read().splitlines()
    assert program.wait() == -signal.SIGKILL
    assert lines[-1] == f"ended: {phase}."


def arrays(out):
    with np.load(out / "checkpoints" / "last.npz") as content:
        return {name: content[name] for name in content.files if name != "head"}


def figures(out):
    with np.load(out / "checkpoints" / "last.npz") as content:
        return json.loads(str(content["head"]))["extra"]


@pytest.fixture(scope="module")
def whole(videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    lines = finish(videos, out)
    return out / "csol", lines


def test_phases_come_in_their_order(whole):
    out, lines = whole
    names = [line.split(":")[0] for line in lines if line.endswith(tuple("0123456789"))]
    assert [n for n in names if not n.startswith("step")] == [
        "correspondence 1 of 2",
        "correspondence 2 of 2",
        "clusters and classes 2 of 2",
        "mixtures",
    ]
    assert [line for line in lines if line.startswith("ended")] == [
        "ended: correspondence 1 of 2.",
        "ended: correspondence 2 of 2.",
        "ended: clusters and classes 2 of 2.",
        "ended: mixtures.",
    ]
    rows = read_history(out / "history.csv")
    assert [row["step"] for row in rows] == list(range(1, 9))
    of = [{k for k in row if k.startswith("loss_")} for row in rows]
    assert of[3] == {"loss_correspondence"}
    assert of[4] == {"loss_image_class", "loss_audio_class"}
    assert of[7] == {"loss_correspondence", "loss_category"}


def assert_same_end(one, other):
    expected, found = arrays(one), arrays(other)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    rows = [read_history(out / "history.csv") for out in (one, other)]
    assert [r["step"] for r in rows[0]] == [r["step"] for r in rows[1]]


def test_a_run_killed_anywhere_ends_with_the_same_bits(whole, videos, tmp_path):
    # In correspondence, between clustering and the next checkpoint, between the stages
    # and among mixtures.
    for step in (3, 5):
        kill_after(videos, tmp_path, step)
    kill_between(videos, tmp_path, "clusters and classes 2 of 2")
    kill_after(videos, tmp_path, 7)
    lines = finish(videos, tmp_path)
    assert "resumed at step 6 of 8" in lines
    assert "ended: clusters and classes 2 of 2." in lines
    assert_same_end(whole[0], tmp_path / "csol")
    # The figures of parts that were saved are not lost: of the phase of classes, from
    # its second step on.
    kept = [figures(out)["measured"] for out in (whole[0], tmp_path / "csol")]
    assert kept[0].keys() == kept[1].keys() == {"0", "1", "2", "3"}
    assert kept[0]["2"]["steps"] == 1
    assert figures(tmp_path / "csol")["seconds"] > sum(
        m["seconds"] for m in kept[1].values()
    )


def test_a_killed_run_of_ier_ends_with_the_same_bits(videos, tmp_path):
    whole, parts, ier = tmp_path / "whole", tmp_path / "parts", ("ier", "torch")
    lines = finish(videos, whole, *ier)
    assert [line for line in lines if line.startswith(("mixtures", "any"))] == [
        "mixtures 2 of 2: steps 7 to 8",
        "any videos: steps 9 to 10",
    ]
    # Among mixtures of solos, between the stages, and among any videos.
    kill_after(videos, parts, 7, *ier)
    kill_between(videos, parts, "mixtures 2 of 2", *ier)
    kill_after(videos, parts, 9, *ier)
    assert "resumed at step 8 of 10" in finish(videos, parts, *ier)
    assert_same_end(whole / "ier", parts / "ier")


@pytest.fixture(scope="module", params=["torch", "jax"])
def elsewhere(request, videos, tmp_path_factory):
    """Both systems trained on another backend, and all of it done once more."""
    out = tmp_path_factory.mktemp(request.param)
    lines = finish(videos, out, "csol,ier", request.param)
    before = {name: arrays(out / name) for name in ("csol", "ier")}
    again = finish(videos, out, "csol,ier", request.param)
    return out, before, part(lines), part(again)


def part(lines):
    """What was said of each of two systems."""
    first = next(i for i, line in enumerate(lines) if line.startswith("terms")) + 1
    return {"csol": lines[:first], "ier": lines[first:]}


@pytest.mark.parametrize("name", ["csol", "ier"])
def test_all_phases_run_on_other_backends(name, elsewhere):
    out, before, lines, again = elsewhere
    assert [line for line in lines[name] if line.startswith("ended: clusters")]
    rows = read_history(out / name / "history.csv")
    losses = [v for r in rows for v in r.values()]
    assert np.isfinite([v for v in losses if v is not None]).all()
    assert any(line.startswith("resumed at step") for line in again[name])
    assert again[name][-1] == lines[name][-1]
    for key, array in arrays(out / name).items():
        np.testing.assert_array_equal(array, before[name][key], err_msg=key)


def test_a_finished_run_has_nothing_left_to_do(whole, videos):
    before = arrays(whole[0])
    lines = finish(videos, whole[0].parent)
    assert "resumed at step 8 of 8" in lines
    # It may have been killed before what follows the last phase.
    assert [line for line in lines if line.startswith("ended")] == ["ended: mixtures."]
    # Nothing was trained, and still its losses are told.
    assert lines[-1] == whole[1][-1]
    assert set(lines[-1].split()[1:]) == {
        "loss_audio_class", "loss_category", "loss_correspondence", "loss_image_class"
    }  # fmt: skip
    for name, array in arrays(whole[0]).items():
        np.testing.assert_array_equal(array, before[name])


def test_a_checkpoint_of_another_model_is_refused(whole, tmp_path):
    from tiny_csol import build

    from keras_avrep.models.solo_trainers import CorrespondenceTrainer
    from keras_avrep.training import AdamWithL2

    trainer = CorrespondenceTrainer(build(num_classes=5), AdamWithL2())
    phase = Phase("other", trainer, None, 0, 1)
    with pytest.raises(CheckpointError, match="another configuration"):
        train_phases([phase], whole[0], show=functools.partial(print, end=""))


def test_no_phases_are_refused(tmp_path):
    with pytest.raises(ValueError, match="phases"):
        train_phases([], tmp_path)


def test_another_schedule_than_that_of_the_run_is_refused(tmp_path):
    def schedule(*phases):
        return [Phase(name, None, None, first, steps) for name, steps, first in phases]

    begun = [["pairs", 4, 0], ["classes", 4, 0], ["mixtures", 4, 0]]
    path = tmp_path / "last.npz"
    for done, good in (
        (0, [("other", 1, 0)]),
        (6, [("pairs", 4, 0), ("classes", 8, 0), ("mixtures", 2, 0)]),
        # What is over may get longer at its end.
        (12, [("pairs", 4, 0), ("classes", 4, 0), ("mixtures", 9, 0), ("more", 1, 4)]),
    ):
        _check_begun(begun, schedule(*good), done, path)
    for done, wrong in (
        (6, [("pairs", 5, 0), ("classes", 4, 0), ("mixtures", 4, 0)]),
        (2, [("classes", 4, 0)]),
        (12, [("pairs", 4, 0), ("classes", 4, 4), ("mixtures", 4, 0)]),
    ):
        with pytest.raises(CheckpointError, match="Use the same schedule"):
            _check_begun(begun, schedule(*wrong), done, path)
