from keras_avrep.models.controllable_augmentations.augmentations_views import (
    ControllableAugmentationsViews,
)
from keras_avrep.models.controllable_augmentations.controllable_augmentations import (
    ControllableAugmentations,
)
from keras_avrep.models.controllable_augmentations.local_global_sampler import (
    LocalGlobalSampler,
)

__all__ = [
    "ControllableAugmentations",
    "ControllableAugmentationsViews",
    "LocalGlobalSampler",
]
