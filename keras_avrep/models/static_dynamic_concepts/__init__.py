from keras_avrep.models.static_dynamic_concepts.concept_views import ConceptViews
from keras_avrep.models.static_dynamic_concepts.static_dynamic_concepts import (
    StaticDynamicConcepts,
)

__all__ = ["ConceptViews", "StaticDynamicConcepts"]
