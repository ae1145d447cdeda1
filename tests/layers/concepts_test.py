import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.layers import ConceptBank, ConceptCrossAttention


def to_numpy(x):
    return ops.convert_to_numpy(x)


def test_a_bank_gives_cosines_static_columns_first():
    bank = ConceptBank(3, 2, 4)
    x = np.eye(4, dtype="float32")
    table = to_numpy(bank.table)
    expected = (table / np.linalg.norm(table, axis=1, keepdims=True)).T
    np.testing.assert_allclose(to_numpy(bank(x)), expected, atol=1e-5)
    assert bank(x)[:, bank.static_slice].shape == (4, 3)
    assert bank(x)[:, bank.dynamic_slice].shape == (4, 2)
    bank.table.assign(7 * table)
    np.testing.assert_allclose(to_numpy(bank(x)), expected, atol=1e-5)


def test_unit_rows_can_be_kept_by_a_constraint():
    bank = ConceptBank(3, 2, 4, constraint="unit_norm")
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.apply([ops.ones((5, 4))], [bank.table])
    norms = np.linalg.norm(to_numpy(bank.table), axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-4)
    with pytest.raises(ValueError, match="constraint"):
        ConceptBank(3, 2, 4, constraint="other")


def test_concepts_compete_for_places_and_share_them_out():
    layer = ConceptCrossAttention()
    rng = np.random.default_rng(0)
    feature_map = rng.normal(size=(2, 2, 3, 4, 8)).astype("float32")
    concepts = rng.normal(size=(5, 8)).astype("float32")
    features, attention = layer(feature_map, concepts)
    assert features.shape == (2, 5, 8)
    assert attention.shape == (2, 2, 3, 4, 5)
    np.testing.assert_allclose(to_numpy(attention).sum(axis=(1, 2, 3)), 1, atol=1e-5)
    norms = np.linalg.norm(to_numpy(features), axis=-1)
    np.testing.assert_allclose(norms, 1, atol=1e-5)


def test_attention_is_that_of_the_formula():
    layer = ConceptCrossAttention(hidden_dim=3)
    rng = np.random.default_rng(1)
    feature_map = rng.normal(size=(1, 1, 2, 2, 4)).astype("float32")
    concepts = rng.normal(size=(3, 4)).astype("float32")
    _, attention = layer(feature_map, concepts)

    def norm(x):
        x = x - x.mean(axis=-1, keepdims=True)
        return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)

    keys = norm(feature_map.reshape(4, 4)) @ to_numpy(layer.key.kernel)
    queries = norm(concepts) @ to_numpy(layer.query.kernel) / 2
    logits = keys @ queries.T
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) + 1e-8
    shares = shares / shares.sum(axis=0)
    np.testing.assert_allclose(to_numpy(attention).reshape(4, 3), shares, atol=1e-5)


def test_a_place_that_ignores_concepts_leaves_the_bank():
    layer = ConceptCrossAttention()
    concepts = np.eye(3, 4, dtype="float32")
    feature_map = np.random.default_rng(0).normal(size=(1, 1, 2, 2, 4))
    layer(feature_map.astype("float32"), concepts)
    for dense in (layer.value, layer.residual):
        dense.set_weights([np.zeros_like(w) for w in dense.get_weights()])
    features, _ = layer(feature_map.astype("float32"), concepts)
    np.testing.assert_allclose(to_numpy(features)[0], concepts, atol=1e-5)


def test_they_survive_their_config():
    for layer in (ConceptBank(3, 2, 4, "unit_norm"), ConceptCrossAttention(7)):
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        assert again.get_config() == layer.get_config()
