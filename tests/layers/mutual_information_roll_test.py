"""Pairs that count as independent are always of two videos."""

import numpy as np
import pytest
from keras import ops

from keras_avrep.layers import CLUBMutualInformation, JSDMutualInformation

SHAPES = [(2, 3, 4), (3, 2, 2), (5, 1, 3), (4, 2)]


def codes(shape, size):
    """Regions `(videos, ..., videos)` that hold the number of their video, one-hot.

    Any two videos are as far apart as any other two, whoever is paired with whom.
    """
    videos = shape[0]
    code = size * np.eye(videos, dtype="float32")
    code = code.reshape(videos, *[1] * (len(shape) - 1), videos)
    return np.broadcast_to(code, (*shape, videos)).copy()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_critic_that_knows_videos_sees_no_pair_of_one_video(shape):
    regions, videos = codes(shape, 1.0), shape[0]
    critic = JSDMutualInformation(2 * videos)
    critic.build(regions.shape, regions.shape)
    # The score is 10 less 20 times the distance of the codes: 10 and -30.
    eye = np.eye(videos)
    kernel = np.block([[eye, -eye], [-eye, eye]])
    critic.hidden.set_weights([kernel, np.zeros(2 * videos)])
    critic.score.set_weights([np.full((2 * videos, 1), -20.0), np.array([10.0])])
    # One pair of a video among the others would cost 10 over the number of pairs.
    assert float(ops.convert_to_numpy(critic(regions, regions))) == pytest.approx(
        0, abs=1e-3
    )


def test_the_other_video_of_a_pair_is_the_one_before_region_by_region():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 4, 3, 2, 5)).astype("float32")
    critic = JSDMutualInformation(6)
    critic.build(first.shape, second.shape)
    # As they start, weights are nearly blind: all pairs would look alike.
    critic.set_weights([rng.normal(size=w.shape) for w in critic.get_weights()])
    found = float(ops.convert_to_numpy(critic(first, second)))

    def softplus_of_scores(second, sign):
        pairs = np.concatenate([first, second], axis=-1)
        scores = ops.convert_to_numpy(critic.score(critic.hidden(pairs)))
        return np.log1p(np.exp(sign * scores)).mean()

    expected = -softplus_of_scores(second, -1)
    expected -= softplus_of_scores(second[[3, 0, 1, 2]], 1)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_bound_compares_with_other_videos_alone(shape):
    regions, videos = codes(shape, 3.0), shape[0]
    club = CLUBMutualInformation(videos)
    club.build(regions.shape, regions.shape)
    # The Gaussian of a region: its own code as the mean, 1 as the variance.
    for network, scale in ((club.mean, 1.0), (club.log_variance, 0.0)):
        for dense in network:
            dense.set_weights([scale * np.eye(videos), np.zeros(videos)])
    bound, fit = club(regions, regions)
    # Half the squared distance of two codes, (3² + 3²) / 2, for every pair.
    assert float(ops.convert_to_numpy(bound)) == pytest.approx(9, rel=1e-5)
    assert float(ops.convert_to_numpy(fit)) == pytest.approx(
        videos * np.log(2 * np.pi) / 2, rel=1e-5
    )
