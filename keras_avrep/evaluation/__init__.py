from keras_avrep.evaluation.embed import (
    Features,
    embed_clips,
    embed_videos,
    load_features,
    save_features,
)
from keras_avrep.evaluation.evaluate import evaluate_features, instance_retrieval
from keras_avrep.evaluation.finetune import classification_accuracy, finetune
from keras_avrep.evaluation.gallery import write_gallery
from keras_avrep.evaluation.linear_probe import chance_level, linear_probe_accuracy
from keras_avrep.evaluation.retrieval import (
    knn_accuracy,
    nearest_neighbours,
    retrieval_recall,
)
from keras_avrep.evaluation.units import choose_units, write_units

__all__ = [
    "Features",
    "chance_level",
    "choose_units",
    "classification_accuracy",
    "embed_clips",
    "embed_videos",
    "evaluate_features",
    "finetune",
    "instance_retrieval",
    "knn_accuracy",
    "linear_probe_accuracy",
    "load_features",
    "nearest_neighbours",
    "retrieval_recall",
    "save_features",
    "write_gallery",
    "write_units",
]
