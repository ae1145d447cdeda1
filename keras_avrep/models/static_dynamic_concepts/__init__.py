from keras_avrep.models.static_dynamic_concepts.concept_readout import (
    ConceptReadout,
    ModeHead,
)
from keras_avrep.models.static_dynamic_concepts.concepts_views import (
    StaticDynamicConceptsViews,
)
from keras_avrep.models.static_dynamic_concepts.static_dynamic_concepts import (
    StaticDynamicConcepts,
)

__all__ = [
    "ConceptReadout",
    "ModeHead",
    "StaticDynamicConcepts",
    "StaticDynamicConceptsViews",
]
