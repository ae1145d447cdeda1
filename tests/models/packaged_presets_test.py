"""Presets with weights know the scenes of videos that they were not trained on."""

import functools

import numpy as np
import pytest

from keras_avrep.evaluation import embed_clips
from keras_avrep.models.systems import system_of
from keras_avrep.worlds import ScenesWorld

# Sprites a video. DCLR's knows motion instead; `tests/exported` has it.
NAMES = {
    "static_dynamic_concepts_tiny_scenes": 1,
    "controllable_augmentations_tiny_scenes": 1,
    "teg_tiny_scenes": 1,
    "const_cl_tiny_scenes": 2,
}
NUM_VIDEOS = 160


@functools.cache
def videos(num_sprites):
    world = ScenesWorld(size=48, num_frames=8, seed=77, num_sprites=num_sprites)
    plans = [world.plan("test", index) for index in range(NUM_VIDEOS)]
    clips = np.stack([world.frames(plan) for plan in plans])
    return clips, np.array([plan["labels"]["scene"] for plan in plans])


def nearest_accuracy(model, shown):
    """Share of clips whose nearest other clip, by cosine, is of the same scene."""
    clips, scenes = shown
    features = embed_clips(model.representation, clips)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    similarity = features @ features.T
    np.fill_diagonal(similarity, -np.inf)
    return np.mean(scenes == scenes[similarity.argmax(axis=1)])


@pytest.mark.parametrize("name", NAMES)
def test_a_packaged_preset_knows_scenes(name):
    shown = videos(NAMES[name])
    # Chance is 1 in 16, and a fresh network is above it.
    assert len(np.unique(shown[1])) == 16
    trained, fresh = (
        nearest_accuracy(system_of(name).from_preset(name, load_weights=load), shown)
        for load in (True, False)
    )
    assert trained > max(0.2, fresh + 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_heads_come_along(name):
    first, second = (system_of(name).from_preset(name) for _ in range(2))
    assert int(first.batches_seen) > 0
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
