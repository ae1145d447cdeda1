"""Ctrl-C in a command that trains: it says how to go on, and the same command does."""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys

import keras
import pytest

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.cli.main import main
from keras_avrep.cli.run_folder import CLIP_FILE, write_json
from keras_avrep.training.callbacks import read_history

# As users have it: there are enough steps for a trace to pay off.
pytestmark = pytest.mark.traced

COMMAND = "from keras_avrep.cli.main import run; run()"
# Below the number from which XLA compiles, above what is made until Ctrl-C arrives.
STEPS = 90
FINETUNING_STEPS = 20


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    arguments = ["--pretrain", "0", "--train", "8", "--test", "2"]
    assert main(["render", str(folder), *arguments, "--size", "24"]) == 0
    return folder


def check_told(printed, error, out):
    told = f"Saved in {out}; run the same command again to resume."
    assert printed.splitlines()[-1] == told
    assert "Interrupted." in error.splitlines()
    assert "Traceback" not in error


def check_resumed(printed, out, total):
    """The second call went on after the steps of the first, to the end."""
    (step,) = re.findall(rf"^resumed at step (\d+) of {total}$", printed, re.M)
    assert 10 <= int(step) < total
    shown = [int(n) for n in re.findall(rf"^step (\d+)/{total} ", printed, re.M)]
    assert shown[0] > int(step) and shown[-1] == total
    steps = [row["step"] for row in read_history(out / "history.csv")]
    assert steps == list(range(10, total + 1, 10))


def test_pretrain_says_how_to_resume(videos, tmp_path, capsys):
    out = tmp_path / "run"
    command = ["pretrain", str(videos), "--out", str(out), "--steps", str(STEPS)]
    command += ["--batch-size", "4", "--num-frames", "2", "--stride", "1"]
    command += ["--size", "20", "--view-size", "16", "--precision", "float32"]
    command += ["--loss-weights", "vv=1"]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("step 10/"):
            process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 130
    check_told("".join(lines), error, out)
    assert not (out / "preset").exists() and not (out / "summary.json").exists()
    capsys.readouterr()
    assert main(command) == 0
    check_resumed(capsys.readouterr().out, out, STEPS)
    assert (out / "preset/config.json").exists()


class PressesCtrlC(io.StringIO):
    """Output whose reader presses Ctrl-C at the first line of progress."""

    def write(self, text):
        if text.startswith("step 10/"):
            os.kill(os.getpid(), signal.SIGINT)
        return super().write(text)


def test_finetune_says_how_to_resume(videos, tmp_path, capsys):
    keras.utils.set_random_seed(0)
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    backbone.save_to_preset(str(tmp_path / "backbone"))
    clip = {"num_frames": 2, "stride": 1, "size": 20, "view_size": 16}
    write_json(tmp_path / "backbone" / CLIP_FILE, clip)
    out = tmp_path / "classifier"
    command = ["finetune", str(tmp_path / "backbone"), str(videos), "--out", str(out)]
    command += ["--linear", "--label", "sprite", "--batch-size", "4"]
    command += ["--epochs", str(FINETUNING_STEPS // 2), "--clips-per-epoch", "1"]
    with contextlib.redirect_stdout(PressesCtrlC()) as output:
        assert main(command) == 130
    check_told(output.getvalue(), capsys.readouterr().err, out)
    assert not (out / "classifier.json").exists()
    assert main(command) == 0
    check_resumed(capsys.readouterr().out, out, FINETUNING_STEPS)
    assert (out / "classifier.json").exists()
