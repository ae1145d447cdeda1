"""Presets with weights know the scenes of videos that they were not trained on."""

import numpy as np
import pytest

from keras_avrep.evaluation import embed_clips
from keras_avrep.models import SYSTEMS
from keras_avrep.worlds import ScenesWorld

PACKAGED = [
    (system, name)
    for system in SYSTEMS
    for name in system.presets
    if system.packaged_weights(name)
]
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


def test_every_system_has_a_tiny_preset_with_weights():
    assert {system for system, _ in PACKAGED} == set(SYSTEMS)


@pytest.mark.parametrize("system, name", PACKAGED, ids=lambda v: str(v))
def test_a_packaged_preset_knows_scenes(system, name, videos):
    # Chance is 1 in 16.
    assert len(np.unique(videos[1])) == 16
    assert nearest_accuracy(system.from_preset(name), videos) > 0.13
