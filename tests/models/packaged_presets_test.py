"""Presets with weights know the scenes of videos that they were not trained on."""

import numpy as np
import pytest

from keras_avrep.evaluation import embed_clips
from keras_avrep.models.systems import system_of
from keras_avrep.worlds import ScenesWorld

# DCLR's knows motion instead; `tests/exported` has it.
NAMES = (
    "static_dynamic_concepts_tiny_scenes",
    "controllable_augmentations_tiny_scenes",
    "teg_tiny_scenes",
)
NUM_VIDEOS = 160


@pytest.fixture(scope="module")
def videos():
    world = ScenesWorld(size=48, num_frames=8, seed=77)
    plans = [world.plan("test", index) for index in range(NUM_VIDEOS)]
    clips = np.stack([world.frames(plan) for plan in plans])
    return clips, np.array([plan["labels"]["scene"] for plan in plans])


def nearest_accuracy(model, videos):
    """Share of clips whose nearest other clip, by cosine, is of the same scene."""
    clips, scenes = videos
    features = embed_clips(model.representation, clips)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    similarity = features @ features.T
    np.fill_diagonal(similarity, -np.inf)
    return np.mean(scenes == scenes[similarity.argmax(axis=1)])


@pytest.mark.parametrize("name", NAMES)
def test_a_packaged_preset_knows_scenes(name, videos):
    # Chance is 1 in 16, and a fresh network is above it.
    assert len(np.unique(videos[1])) == 16
    trained, fresh = (
        nearest_accuracy(system_of(name).from_preset(name, load_weights=load), videos)
        for load in (True, False)
    )
    assert trained > max(0.2, fresh + 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_heads_come_along(name):
    first, second = (system_of(name).from_preset(name) for _ in range(2))
    assert int(first.batches_seen) > 0
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
