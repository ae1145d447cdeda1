import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_avrep.evaluation import (
    match_clusters,
    normalised_mutual_information,
    sum_cluster_maps,
)

samples = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40
)


def test_pairs_are_chosen_together_and_not_greedily():
    # Cluster 0 prefers class 0 by 3 to 2, but cluster 1 has no other class.
    ids = [0] * 5 + [1] * 3
    labels = [0, 0, 0, 1, 1] + [0] * 3
    assert match_clusters(ids, labels).tolist() == [1, 0]


def test_clusters_left_over_follow_their_majority():
    ids = [0, 0, 0, 1, 1, 2, 2, 2, 4]
    labels = [0, 0, 0, 1, 1, 1, 1, 0, 0]
    # 3 has no sample; 4 is a leftover; 1 or 2 takes class 1, the other its majority.
    assert match_clusters(ids, labels, 5, 2).tolist() == [0, 1, 1, -1, 0]


def test_a_pair_without_a_common_sample_is_no_pair():
    # Class 1 exists and cluster 1 is free, but all of cluster 1 is class 0.
    assert match_clusters([0, 0, 1], [0, 0, 0], 2, 2).tolist() == [0, 0]


@given(samples)
def test_matching_is_the_best_of_all_permutations(pairs):
    ids, labels = np.array(pairs).T
    counts = np.zeros((5, 4), int)
    np.add.at(counts, (ids, labels), 1)
    best = max(
        sum(counts[row, column] for column, row in enumerate(rows))
        for rows in itertools.permutations(range(5), 4)
    )
    mapping = match_clusters(ids, labels, 5, 4)
    assert sum(counts[c, m] for c, m in enumerate(mapping) if m >= 0) >= best
    assert (mapping == -1).tolist() == (counts.sum(axis=1) == 0).tolist()


@given(samples, st.permutations(range(5)), st.permutations(range(4)))
def test_information_ignores_names(pairs, clusters, classes):
    ids, labels = np.array(pairs).T
    value = normalised_mutual_information(ids, labels)
    assert 0 <= value <= 1
    renamed = np.array(clusters)[ids], np.array(classes)[labels]
    assert normalised_mutual_information(*renamed) == pytest.approx(value)
    assert normalised_mutual_information(labels, ids) == pytest.approx(value)
    assert normalised_mutual_information(labels, labels) == pytest.approx(1)


def test_information_by_hand():
    assert normalised_mutual_information([0, 0, 1, 1], [0, 1, 0, 1]) == 0.0
    # Clusters halve class 0: information log 2, entropies 1.5 log 2 and log 2.
    value = normalised_mutual_information([0, 1, 2, 2], [0, 0, 1, 1])
    assert value == pytest.approx(1 / 1.25)
    assert normalised_mutual_information([0, 0], [3, 3]) == 1.0


def test_maps_of_one_class_are_summed():
    maps = np.arange(24.0).reshape(2, 3, 4)
    summed = sum_cluster_maps(maps, [2, 0, 2, -1], 3)
    np.testing.assert_array_equal(summed[..., 0], maps[..., 1])
    np.testing.assert_array_equal(summed[..., 1], 0)
    np.testing.assert_array_equal(summed[..., 2], maps[..., 0] + maps[..., 2])
    with pytest.raises(ValueError, match="4 clusters and `mapping` 3"):
        sum_cluster_maps(maps, [0, 1, 2], 3)


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match="as many of both"):
        match_clusters([0, 1], [0])
    with pytest.raises(ValueError, match="at least one"):
        match_clusters([], [])
    with pytest.raises(ValueError, match="`labels` holds numbers out of 0 to 1"):
        match_clusters([0, 1], [0, 2], num_classes=2)
    with pytest.raises(ValueError, match="`cluster_ids`"):
        match_clusters([-1, 1], [0, 2])
