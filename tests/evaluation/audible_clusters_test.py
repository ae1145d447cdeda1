import pytest

from keras_avrep.evaluation import audible_clusters


def test_what_is_above_the_level_is_heard_the_surest_first():
    scores = [0.6, -0.2, 0.9, 0.5]
    assert audible_clusters(scores) == [
        {"cluster": 2, "name": None, "score": 0.9},
        {"cluster": 0, "name": None, "score": 0.6},
    ]
    assert [one["cluster"] for one in audible_clusters(scores, level=0.4)] == [2, 0, 3]
    assert audible_clusters(scores, level=0.9) == []


def test_of_clusters_with_one_name_the_surest_counts():
    names = ["cello", None, "cello", None]
    heard = audible_clusters([0.6, 0.8, 0.7, 0.9], names)
    assert [(one["cluster"], one["name"]) for one in heard] == [
        (3, None),
        (1, None),
        (2, "cello"),
    ]
    with pytest.raises(ValueError, match="`names` has 4"):
        audible_clusters([0.6], names)
