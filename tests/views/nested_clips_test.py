from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keras_avrep.views import NestedClipSampler

CLIPS = st.tuples(st.integers(1, 20), st.integers(1, 5))


def spans(short, long):
    return [(frames - 1) * stride + 1 for frames, stride in (short, long)]


@settings(max_examples=200, deadline=None)
@given(
    CLIPS, CLIPS, st.booleans(), st.integers(1, 300), st.floats(5, 60), st.integers(0)
)
def test_the_short_clip_lies_in_the_long_one(short, long, align, length, fps, seed):
    short_span, long_span = spans(short, long)
    assume(short_span <= long_span)
    sampler = NestedClipSampler(*short, *long, align=align)
    record = SimpleNamespace(duration=length / fps, fps=fps)
    sample = sampler(record, np.random.default_rng(seed))
    numbers = {name: float(x) for name, x in sample["numbers"].items()}
    # In frames counted on as if nothing were looped.
    assert numbers["long_start"] <= numbers["short_start"]
    ends = numbers["short_start"] + short_span, numbers["long_start"] + long_span
    assert ends[0] <= ends[1]
    assert numbers["looped"] == (length < long_span)
    if not numbers["looped"]:
        assert ends[1] <= length
    if align:
        offset = numbers["short_start"] - numbers["long_start"]
        assert offset % (2 * long[1]) == 0
    for name, (frames, stride) in (("short", short), ("long", long)):
        assert sample[name].shape == (frames,)
        expected = numbers[f"{name}_start"] + stride * np.arange(frames)
        shown = np.floor(sample[name] * fps + 1e-6)
        np.testing.assert_array_equal(shown, expected % length)


def test_places_are_uniform_over_all_there_are():
    sampler = NestedClipSampler(2, 1, 4, 1, align=False)
    record = SimpleNamespace(duration=0.6, fps=10.0)
    rng = np.random.default_rng(0)
    drawn = [sampler(record, rng)["numbers"] for _ in range(900)]
    pairs = [
        (int(n["long_start"]), int(n["short_start"] - n["long_start"])) for n in drawn
    ]
    counts = np.unique(pairs, axis=0, return_counts=True)[1]
    assert len(counts) == 9
    assert counts.min() > 60


def test_strides_come_along():
    sample = NestedClipSampler(2, 3, 4, 5)(
        SimpleNamespace(duration=4.0, fps=10.0), np.random.default_rng(0)
    )
    strides = [sample["numbers"][f"{name}_stride"] for name in ("short", "long")]
    assert strides == [3, 5]
    assert all(x.dtype == np.float32 for x in sample["numbers"].values())


def test_a_short_clip_that_spans_more_is_refused():
    with pytest.raises(ValueError, match="spans 31 frames"):
        NestedClipSampler(16, 2, 16, 1)
