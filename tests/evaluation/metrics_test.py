import numpy as np
import pytest
from scipy.spatial.distance import cdist

from keras_avrep.evaluation import (
    Features,
    chance_level,
    evaluate_features,
    instance_retrieval,
    knn_accuracy,
    linear_probe_accuracy,
    load_features,
    nearest_neighbours,
    retrieval_recall,
    save_features,
)


def test_neighbours_agree_with_scipy():
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(20, 7)), rng.normal(size=(30, 7))
    centred = queries - queries.mean(0), gallery - gallery.mean(0)
    distance = cdist(*centred, metric="cosine")
    order, similarity = nearest_neighbours(queries, gallery, 5)
    np.testing.assert_array_equal(order, np.argsort(distance, axis=1)[:, :5])
    np.testing.assert_allclose(similarity, 1 - np.sort(distance, axis=1)[:, :5])


def test_a_query_by_itself_finds_what_is_like_it():
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(30, 7)) + 5
    labels = [str(number) for number in range(30)]
    for number in (0, 17, 29):
        query = gallery[[number]] + 0.01
        assert nearest_neighbours(query, gallery, 3)[0][0, 0] == number
        assert retrieval_recall(query, gallery, [str(number)], labels)["r_at_1"] == 1
        assert knn_accuracy(query, gallery, [str(number)], labels, k=1) == 1


def test_means_stay_where_they_are_not_to_be_taken_away():
    gallery = np.array([[1.0, 0], [0.9, 0.5], [0.8, 1.0]])
    queries = np.array([[1.0, 0.02], [1.0, 0.04]])
    options = {"centre": False}
    order, _ = nearest_neighbours(queries, gallery, 1, **options)
    assert order[:, 0].tolist() == [0, 0]
    labels = ["a", "b", "c"]
    assert knn_accuracy(queries, gallery, ["a", "a"], labels, k=1, **options) == 1
    found = retrieval_recall(queries, gallery, ["a", "a"], labels, **options)
    assert found["r_at_1"] == 1
    assert retrieval_recall(queries, gallery, ["a", "a"], labels)["r_at_1"] < 1


def test_recall_by_hand():
    # Directions at 0, 90, 180, 270 degrees: the mean is 0, nothing moves.
    gallery = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], float)
    queries = np.array([[1, 0.1], [-1, 0.1], [1, -0.1], [-1, -0.1]])
    recall = retrieval_recall(
        queries, gallery, ["a", "b", "c", "d"], ["a", "b", "c", "d"], ks=(1, 2, 4, 9)
    )
    # Nearest are 0, 2, 0, 2; then 1, 1, 3, 3.
    assert recall == {"r_at_1": 0.25, "r_at_2": 0.75, "r_at_4": 1.0}


def test_knn_weighs_votes_by_similarity():
    gallery = np.array([[1, 0], [0.6, 0.8], [0.6, 0.8], [-1, 0], [-1.2, -1.6]])
    gallery -= gallery.mean(0)
    queries = np.array([[1.0, 0], [-1.0, 0]])
    labels = ["a", "b", "b", "c", "c"]
    near = knn_accuracy(queries, gallery, ["a", "c"], labels, k=3, temperature=0.01)
    assert near == 1.0


def test_linear_probe_learns_what_is_linear_and_nothing_from_noise():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 10))
    y = (x @ rng.normal(size=(10, 3))).argmax(1)
    assert linear_probe_accuracy(x[:400], x[400:], y[:400], y[400:]) > 0.9
    noise = rng.integers(0, 3, 600)
    score = linear_probe_accuracy(x[:400], x[400:], noise[:400], noise[400:])
    assert score < 0.45


def test_chance_is_the_share_of_the_largest_class():
    assert chance_level(["a", "a", "b", "c"]) == 0.5


def test_own_video_retrieval_is_perfect_for_equal_clips():
    features = np.random.default_rng(0).normal(size=(12, 5))
    assert instance_retrieval(features, features + 1e-3)["r_at_1"] == 1.0


def test_evaluation_covers_every_shared_label_and_survives_a_file(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 120)
    x = np.eye(4)[y] + 0.05 * rng.normal(size=(120, 4))
    names = [f"class {i}" for i in y]
    labels = {"kind": names, "same": ["x"] * 120}
    train = Features(x[:80], list("p" * 80), {k: v[:80] for k, v in labels.items()})
    test = Features(x[80:], list("q" * 40), {k: v[80:] for k, v in labels.items()})
    results = evaluate_features(train, test)
    assert set(results["probe"]) == {"kind"}  # one class says nothing
    assert results["probe"]["kind"]["knn"] == 1.0
    assert results["probe"]["kind"]["linear"] > 0.95
    assert results["retrieval"]["kind"]["r_at_1"] == 1.0
    save_features(tmp_path / "f.npz", train, test)
    again = load_features(tmp_path / "f.npz")
    np.testing.assert_array_equal(again[0].values, train.values)
    assert again[1].labels == test.labels


def test_zero_features_are_no_error():
    zeros = np.zeros((4, 3))
    assert retrieval_recall(zeros, zeros, [0] * 4, [0] * 4)["r_at_1"] == 1.0


@pytest.mark.parametrize("k", [1, 100])
def test_more_neighbours_than_gallery_are_all_of_it(k):
    x = np.random.default_rng(0).normal(size=(6, 3))
    order, _ = nearest_neighbours(x, x, k)
    assert order.shape == (6, min(k, 6))
