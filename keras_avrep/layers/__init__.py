from keras_avrep.layers.activation_map import ActivationDecoupler, ActivationMap
from keras_avrep.layers.audio_instance_identifier import AudioInstanceIdentifier
from keras_avrep.layers.av_cosine_map import AVCosineMap
from keras_avrep.layers.centred_position import CentredPosition
from keras_avrep.layers.class_distribution import ClassDistribution
from keras_avrep.layers.class_visual_maps import ClassVisualMaps
from keras_avrep.layers.concat_head_decoder import ConcatHeadDecoder
from keras_avrep.layers.concept_bank import ConceptBank
from keras_avrep.layers.concept_cross_attention import ConceptCrossAttention
from keras_avrep.layers.concept_filter import ConceptFilter
from keras_avrep.layers.context_sampler import ContextSampler
from keras_avrep.layers.cross_correlation import CrossCorrelation2D
from keras_avrep.layers.cross_modal_referrer import CrossModalReferrer
from keras_avrep.layers.feature_queue import FeatureQueue
from keras_avrep.layers.folded_batch_norm import FoldedBatchNormalization
from keras_avrep.layers.folded_conv3d import FoldedConv3D
from keras_avrep.layers.folded_max_pool import FoldedMaxPool3D
from keras_avrep.layers.gradient_reversal import GradientReversal, reversal_strength
from keras_avrep.layers.log_mel import LogMel
from keras_avrep.layers.map_match_score import MapMatchScore
from keras_avrep.layers.masked_object_feature import MaskedObjectFeature
from keras_avrep.layers.matched_prototype_score import MatchedPrototypeScore
from keras_avrep.layers.mutual_information import (
    CLUBMutualInformation,
    JSDMutualInformation,
)
from keras_avrep.layers.neighbour_miner import NeighbourMiner
from keras_avrep.layers.object_dictionary import ObjectDictionary
from keras_avrep.layers.off_screen_filter import OffScreenFilter
from keras_avrep.layers.projection_head import ProjectionHead, ProjectionHeads
from keras_avrep.layers.projection_mlp import ProjectionMLP
from keras_avrep.layers.prototype_bank import PrototypeBank
from keras_avrep.layers.pseudo_multi_hot import PseudoMultiHot
from keras_avrep.layers.region_overlap import RegionOverlap, time_overlap
from keras_avrep.layers.region_pool import RegionPool
from keras_avrep.layers.roi_align import ROIAlign2D
from keras_avrep.layers.scale_shift import ScaleShift
from keras_avrep.layers.silent_gate import SilentGate
from keras_avrep.layers.silent_object_filter import SilentObjectFilter
from keras_avrep.layers.sinkhorn_assignment import SinkhornAssignment
from keras_avrep.layers.sounding_mask import SoundingMask
from keras_avrep.layers.spatial_pool import SpatialPool
from keras_avrep.layers.static_dynamic_decoupler import StaticDynamicDecoupler
from keras_avrep.layers.unit_length import unit_length

__all__ = [
    "AVCosineMap",
    "ActivationDecoupler",
    "ActivationMap",
    "AudioInstanceIdentifier",
    "CLUBMutualInformation",
    "CentredPosition",
    "ClassDistribution",
    "ClassVisualMaps",
    "ConcatHeadDecoder",
    "ConceptBank",
    "ConceptCrossAttention",
    "ConceptFilter",
    "ContextSampler",
    "CrossCorrelation2D",
    "CrossModalReferrer",
    "FeatureQueue",
    "FoldedBatchNormalization",
    "FoldedConv3D",
    "FoldedMaxPool3D",
    "GradientReversal",
    "JSDMutualInformation",
    "LogMel",
    "MapMatchScore",
    "MaskedObjectFeature",
    "MatchedPrototypeScore",
    "NeighbourMiner",
    "ObjectDictionary",
    "OffScreenFilter",
    "ProjectionHead",
    "ProjectionHeads",
    "ProjectionMLP",
    "PrototypeBank",
    "PseudoMultiHot",
    "ROIAlign2D",
    "RegionOverlap",
    "RegionPool",
    "ScaleShift",
    "SilentGate",
    "SilentObjectFilter",
    "SinkhornAssignment",
    "SoundingMask",
    "SpatialPool",
    "StaticDynamicDecoupler",
    "reversal_strength",
    "time_overlap",
    "unit_length",
]
