from keras_avrep.layers.activation_map import ActivationDecoupler, ActivationMap
from keras_avrep.layers.centred_position import CentredPosition
from keras_avrep.layers.concat_head_decoder import ConcatHeadDecoder
from keras_avrep.layers.concept_bank import ConceptBank
from keras_avrep.layers.concept_cross_attention import ConceptCrossAttention
from keras_avrep.layers.concept_filter import ConceptFilter
from keras_avrep.layers.context_sampler import ContextSampler
from keras_avrep.layers.cross_correlation import CrossCorrelation2D
from keras_avrep.layers.feature_queue import FeatureQueue
from keras_avrep.layers.folded_batch_norm import FoldedBatchNormalization
from keras_avrep.layers.folded_conv3d import FoldedConv3D
from keras_avrep.layers.folded_max_pool import FoldedMaxPool3D
from keras_avrep.layers.gradient_reversal import GradientReversal, reversal_strength
from keras_avrep.layers.log_mel import LogMel
from keras_avrep.layers.mutual_information import (
    CLUBMutualInformation,
    JSDMutualInformation,
)
from keras_avrep.layers.neighbour_miner import NeighbourMiner
from keras_avrep.layers.projection_head import ProjectionHead, ProjectionHeads
from keras_avrep.layers.projection_mlp import ProjectionMLP
from keras_avrep.layers.region_overlap import RegionOverlap, time_overlap
from keras_avrep.layers.region_pool import RegionPool
from keras_avrep.layers.roi_align import ROIAlign2D
from keras_avrep.layers.sinkhorn_assignment import SinkhornAssignment
from keras_avrep.layers.spatial_pool import SpatialPool
from keras_avrep.layers.static_dynamic_decoupler import StaticDynamicDecoupler

__all__ = [
    "ActivationDecoupler",
    "ActivationMap",
    "CLUBMutualInformation",
    "CentredPosition",
    "ConcatHeadDecoder",
    "ConceptBank",
    "ConceptCrossAttention",
    "ConceptFilter",
    "ContextSampler",
    "CrossCorrelation2D",
    "FeatureQueue",
    "FoldedBatchNormalization",
    "FoldedConv3D",
    "FoldedMaxPool3D",
    "GradientReversal",
    "JSDMutualInformation",
    "LogMel",
    "NeighbourMiner",
    "ProjectionHead",
    "ProjectionHeads",
    "ProjectionMLP",
    "ROIAlign2D",
    "RegionOverlap",
    "RegionPool",
    "SinkhornAssignment",
    "SpatialPool",
    "StaticDynamicDecoupler",
    "reversal_strength",
    "time_overlap",
]
