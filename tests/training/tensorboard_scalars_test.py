import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from keras_avrep.training import TensorBoardScalars


def test_without_the_package_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(ImportError, match=r"keras-avrep\[tensorboard\]"):
        TensorBoardScalars(tmp_path)


def test_steps_go_on_after_a_resumption(tmp_path):
    for first in (0, 4):
        callback = TensorBoardScalars(tmp_path, every=2, first_step=first)
        for batch in range(4):
            callback.on_train_batch_end(batch, {"loss": 1.0 / (first + batch + 1)})
        callback.writer.close()
    found = EventAccumulator(str(tmp_path))
    found.Reload()
    (tag,) = [
        tag for tags in found.Tags().values() if isinstance(tags, list) for tag in tags
    ]
    assert tag == "loss"
    events = found.Tensors("loss")
    assert [event.step for event in events] == [2, 4, 6, 8]
