from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_avrep.evaluation import segmentation_scores


def score(predicted, truth, **kwargs):
    return segmentation_scores({"v": predicted}, {"v": truth}, **kwargs)


def test_scores_by_hand():
    truth = ["background"] * 2 + ["a"] * 4 + ["b"] * 4
    predicted = ["background"] + ["a"] * 4 + ["c"] + ["b"] * 4
    result = score(predicted, truth)
    assert result["accuracy"] == 0.8
    # a c b against a b: one too many of three.
    assert result["edit"] == pytest.approx(1 - 1 / 3)
    # a overlaps by 3 of 5, b fully, c is wrong: 2 hits, 1 wrong, none missed.
    assert result["f1_at_50"] == result["f1_at_10"] == 0.8


def test_overlap_thresholds():
    # a overlaps by 2 of 10, b by 6 of 14.
    truth = list("a" * 8 + "b" * 6)
    predicted = list("x" * 6 + "aa" + "b" * 6)
    assert score(predicted, truth)["f1_at_10"] == pytest.approx(4 / 5)
    assert score(predicted, truth)["f1_at_25"] == pytest.approx(4 / 5)
    assert score(predicted, truth)["f1_at_50"] == pytest.approx(2 / 5)


def test_the_threshold_is_reached_by_equality():
    assert score(list("aabb"), list("aaaa"))["f1_at_50"] == pytest.approx(2 / 3)


def test_a_segment_looks_only_at_its_best_and_splitting_is_punished():
    # Both halves of a prefer the one true a: the second is wrong.
    result = score(list("aabaa"), list("aaaaa"))
    assert result["f1_at_25"] == pytest.approx(2 / 4)
    # The second long a prefers the taken first true one to the free second.
    truth = list("aaaaaaaa" + "b" + "a")
    predicted = list("aaaa" + "b" + "aaaaa")
    result = score(predicted, truth)
    # a 4/8, b nowhere, a 3/10 of the first and 1/5 of the second.
    assert result["f1_at_10"] == pytest.approx(2 / 6)


def test_ignored_labels_make_no_segments_but_their_frames_count():
    truth = ["SIL", "SIL", "a", "a"]
    predicted = ["a", "a", "a", "a"]
    plain = score(predicted, truth)
    assert plain["accuracy"] == 0.5
    assert plain["edit"] == 0.5
    ignoring = score(predicted, truth, ignored=("SIL",))
    assert ignoring["accuracy"] == 0.5
    assert ignoring["edit"] == 1.0
    assert ignoring["f1_at_50"] == 1.0


def test_an_ignored_gap_does_not_join_its_neighbours():
    labels = ["a", "background", "a"]
    assert score(["a", "a", "a"], labels)["edit"] == 0.5


def test_pooling_over_videos():
    truth = {"long": list("aaab"), "short": list("c")}
    predicted = {"long": list("aaab"), "short": list("d")}
    result = segmentation_scores(predicted, truth)
    assert result["accuracy"] == 0.8  # frames together
    assert result["edit"] == 0.5  # videos alike
    assert result["f1_at_10"] == pytest.approx(2 * 2 / 6)  # segments together


def test_only_background_is_perfect_in_edit_and_nothing_in_f1():
    result = score(["background"], ["background"])
    assert (result["accuracy"], result["edit"], result["f1_at_10"]) == (1.0, 1.0, 0.0)


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match="lacks the video 'v'"):
        segmentation_scores({}, {"v": ["a"]})
    with pytest.raises(ValueError, match="2 frames and 1 predicted"):
        score(["a"], ["a", "a"])
    with pytest.raises(ValueError, match="no frames"):
        segmentation_scores({}, {})


LABELS = st.sampled_from(["background", "a", "b", "c"])
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=12)


@given(st.lists(PAIRS, min_size=1, max_size=3))
def test_ranges_perfection_and_renaming(pairs):
    truth = {i: [t for _, t in pair] for i, pair in enumerate(pairs)}
    predicted = {i: [p for p, _ in pair] for i, pair in enumerate(pairs)}
    result = segmentation_scores(predicted, truth)
    assert all(0 <= v <= 1 for v in result.values())
    assert result["f1_at_10"] >= result["f1_at_25"] >= result["f1_at_50"]
    backwards = segmentation_scores(predicted, dict(reversed(truth.items())))
    assert backwards == pytest.approx(result)
    swapped = {"a": "b", "b": "a"}
    renamed = [
        {i: [swapped.get(x, x) for x in v] for i, v in part.items()}
        for part in (predicted, truth)
    ]
    assert segmentation_scores(*renamed) == pytest.approx(result)
    perfect = segmentation_scores(truth, truth)
    acts = any(x != "background" for v in truth.values() for x in v)
    assert perfect["accuracy"] == perfect["edit"] == 1.0
    assert perfect["f1_at_50"] == float(acts)


@given(PAIRS)
def test_edit_score_is_the_levenshtein_distance_of_its_definition(pairs):
    first, second = (
        [
            x
            for i, x in enumerate(side)
            if x != "background" and (i == 0 or side[i - 1] != x)
        ]
        for side in ([p for p, _ in pairs], [t for _, t in pairs])
    )

    @cache
    def distance(i, j):
        if i == 0 or j == 0:
            return i + j
        same = distance(i - 1, j - 1) + (first[i - 1] != second[j - 1])
        return min(same, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    longest = max(len(first), len(second))
    expected = 1 - distance(len(first), len(second)) / longest if longest else 1
    result = score([p for p, _ in pairs], [t for _, t in pairs])
    assert result["edit"] == pytest.approx(expected)
