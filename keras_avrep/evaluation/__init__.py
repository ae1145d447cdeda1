from keras_avrep.evaluation.audible_clusters import audible_clusters
from keras_avrep.evaluation.box_overlap import box_iou, paired_box_iou
from keras_avrep.evaluation.classify import (
    Predictions,
    classify_videos,
    video_mean_average_precision,
)
from keras_avrep.evaluation.cluster_matching import (
    match_clusters,
    normalised_mutual_information,
    sum_cluster_maps,
)
from keras_avrep.evaluation.crops import spread_crops
from keras_avrep.evaluation.embed import (
    Features,
    embed_clips,
    embed_videos,
    load_features,
    save_features,
)
from keras_avrep.evaluation.evaluate import evaluate_features, instance_retrieval
from keras_avrep.evaluation.evaluate_localiser import evaluate_localiser
from keras_avrep.evaluation.finetune import classification_accuracy, finetune
from keras_avrep.evaluation.frame_features import frame_features
from keras_avrep.evaluation.frame_map import frame_mean_average_precision
from keras_avrep.evaluation.gallery import write_gallery
from keras_avrep.evaluation.interference import (
    level_wise_average_precision,
    off_screen_energy,
    off_screen_mass,
)
from keras_avrep.evaluation.interference_metrics import (
    LevelwiseAveragePrecision,
    OffScreenMass,
)
from keras_avrep.evaluation.label_segments import label_segments
from keras_avrep.evaluation.linear_probe import chance_level, linear_probe_accuracy
from keras_avrep.evaluation.localise_actions import localise_actions
from keras_avrep.evaluation.localization import (
    box_mask,
    class_aware_scores,
    class_masks,
    localization_scores,
)
from keras_avrep.evaluation.localization_floors import (
    class_aware_floors,
    localization_floors,
)
from keras_avrep.evaluation.localization_metrics import (
    ClassAwareIoU,
    LocalizationAUC,
    LocalizationIoU,
    NoSoundingArea,
)
from keras_avrep.evaluation.localize_video import (
    VideoMaps,
    is_localiser,
    localize_video,
)
from keras_avrep.evaluation.map_alignment import aligned_clip_maps
from keras_avrep.evaluation.map_boxes import map_boxes, sounding_regions
from keras_avrep.evaluation.map_entropy import map_entropy
from keras_avrep.evaluation.moment_maps import (
    MomentMaps,
    dominant_clusters,
    predict_moments,
)
from keras_avrep.evaluation.multi_label import (
    multi_hot,
    multi_label_average_precision,
)
from keras_avrep.evaluation.retrieval import (
    knn_accuracy,
    nearest_neighbours,
    retrieval_recall,
)
from keras_avrep.evaluation.segmentation import segmentation_scores
from keras_avrep.evaluation.silent_objects import sounding_over_silent
from keras_avrep.evaluation.sounding_truth import SoundingTruth, sounding_truth
from keras_avrep.evaluation.temporal_detection import (
    detection_average_precision,
    temporal_iou,
)
from keras_avrep.evaluation.temporal_probes import (
    order_accuracy,
    step_match,
    temporal_variance_ratio,
    time_regression,
)
from keras_avrep.evaluation.track_sequence import track_sequence
from keras_avrep.evaluation.tracking import one_pass_evaluation
from keras_avrep.evaluation.tracking_pairs import TrackingPairs
from keras_avrep.evaluation.units import choose_units, write_units

__all__ = [
    "ClassAwareIoU",
    "Features",
    "LevelwiseAveragePrecision",
    "LocalizationAUC",
    "LocalizationIoU",
    "MomentMaps",
    "NoSoundingArea",
    "OffScreenMass",
    "Predictions",
    "SoundingTruth",
    "TrackingPairs",
    "VideoMaps",
    "aligned_clip_maps",
    "audible_clusters",
    "box_iou",
    "box_mask",
    "chance_level",
    "choose_units",
    "class_aware_floors",
    "class_aware_scores",
    "class_masks",
    "classification_accuracy",
    "classify_videos",
    "detection_average_precision",
    "dominant_clusters",
    "embed_clips",
    "embed_videos",
    "evaluate_features",
    "evaluate_localiser",
    "finetune",
    "frame_features",
    "frame_mean_average_precision",
    "instance_retrieval",
    "is_localiser",
    "knn_accuracy",
    "label_segments",
    "level_wise_average_precision",
    "linear_probe_accuracy",
    "load_features",
    "localise_actions",
    "localization_floors",
    "localization_scores",
    "localize_video",
    "map_boxes",
    "map_entropy",
    "match_clusters",
    "multi_hot",
    "multi_label_average_precision",
    "nearest_neighbours",
    "normalised_mutual_information",
    "off_screen_energy",
    "off_screen_mass",
    "one_pass_evaluation",
    "order_accuracy",
    "paired_box_iou",
    "predict_moments",
    "retrieval_recall",
    "save_features",
    "segmentation_scores",
    "sounding_over_silent",
    "sounding_regions",
    "sounding_truth",
    "spread_crops",
    "step_match",
    "sum_cluster_maps",
    "temporal_iou",
    "temporal_variance_ratio",
    "time_regression",
    "track_sequence",
    "video_mean_average_precision",
    "write_gallery",
    "write_units",
]
