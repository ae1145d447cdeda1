from keras_avrep.evaluation.cluster_matching import (
    match_clusters,
    normalised_mutual_information,
    sum_cluster_maps,
)
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
from keras_avrep.evaluation.interference import (
    level_wise_average_precision,
    off_screen_energy,
    off_screen_mass,
)
from keras_avrep.evaluation.linear_probe import chance_level, linear_probe_accuracy
from keras_avrep.evaluation.localization import (
    class_aware_scores,
    localization_scores,
)
from keras_avrep.evaluation.localization_floors import (
    class_aware_floors,
    localization_floors,
)
from keras_avrep.evaluation.retrieval import (
    knn_accuracy,
    nearest_neighbours,
    retrieval_recall,
)

__all__ = [
    "Features",
    "chance_level",
    "class_aware_floors",
    "class_aware_scores",
    "classification_accuracy",
    "embed_clips",
    "embed_videos",
    "evaluate_features",
    "finetune",
    "instance_retrieval",
    "knn_accuracy",
    "level_wise_average_precision",
    "linear_probe_accuracy",
    "load_features",
    "localization_floors",
    "localization_scores",
    "match_clusters",
    "nearest_neighbours",
    "normalised_mutual_information",
    "off_screen_energy",
    "off_screen_mass",
    "retrieval_recall",
    "save_features",
    "sum_cluster_maps",
    "write_gallery",
]
