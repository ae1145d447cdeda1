"""What is worth watching of Static and Dynamic Concepts beside its losses."""

from keras_avrep.losses import (
    cross_view_accuracy,
    embedding_std,
    usage_perplexity,
)
from keras_avrep.models.static_dynamic_concepts import concept_terms
from keras_avrep.models.static_dynamic_concepts.concept_objectives import clip_pairs

SPREAD = ("embedding_std", "cross_view_accuracy")
USAGE = {kind: f"{kind}_usage_perplexity" for kind in ("static", "dynamic")}


def statistic_names(terms):
    """Names of what `concept_statistics` returns for some terms."""
    names = SPREAD if _contrast(terms) else ()
    return (*names, *(USAGE.values() if "rgb" in _modes(terms) else ()))


def concept_statistics(terms, outputs, dictionary, temperature):
    """Spread and accuracy of the first contrast, and how many concepts are in use.

    Args:
        terms: the names of the loss terms.
        outputs: what `StaticDynamicConcepts.query_forward` returns.
        dictionary: `ConceptDictionary`.
        temperature: float. Of the distributions over concepts.

    Returns:
        Dict from the `statistic_names` to scalars. The perplexities are those of
        RGB clips.

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section 8.
    """
    found = {}
    if contrast := _contrast(terms):
        heads = concept_terms.CONTRASTS[contrast]
        first, second = (clip_pairs(outputs["embeddings"][h]) for h in heads)
        found["embedding_std"] = embedding_std(first[:, 0])
        found["cross_view_accuracy"] = cross_view_accuracy(first[:, 0], second[:, 1])
    if "rgb" in _modes(terms):
        logits = outputs["found"]["rgb"]["logits"]
        for kind, name in USAGE.items():
            kind_logits = logits[:, dictionary.columns(kind)]
            found[name] = usage_perplexity(kind_logits, temperature)
    return found


def _contrast(terms):
    """The first contrast among the terms, or `None`."""
    return next((term for term in concept_terms.CONTRASTS if term in terms), None)


def _modes(terms):
    return concept_terms.concept_modes(terms)
