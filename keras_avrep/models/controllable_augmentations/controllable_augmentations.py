import keras
from keras import ops

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.layers import (
    ProjectionHead,
    RegionOverlap,
    RegionPool,
    StaticDynamicDecoupler,
    reversal_strength,
)
from keras_avrep.losses import chunks_of_batch
from keras_avrep.models.controllable_augmentations.augmentations_presets import (
    FOLDER,
    PRESETS,
)
from keras_avrep.models.controllable_augmentations.augmentations_statistics import (
    augmentations_statistics,
    statistic_names,
)
from keras_avrep.models.controllable_augmentations.augmentations_terms import (
    DIFFERENCE,
    INFORMATION,
    INSTANCE,
    ORDER,
    REGION,
    TIMESTAMP,
    both_ways,
    by_video,
    check_colours,
    check_form,
    check_stages,
    check_weights,
    instance_loss,
    over_space,
    region_loss,
    timestamp_losses,
)
from keras_avrep.models.controllable_augmentations.augmentations_views import (
    ControllableAugmentationsViews,
)
from keras_avrep.models.controllable_augmentations.information_minimisation import (
    MutualInformationMinimisation,
)
from keras_avrep.models.controllable_augmentations.local_global_sampler import (
    LocalGlobalSampler,
)
from keras_avrep.models.controllable_augmentations.temporal_order_head import (
    TemporalOrderHead,
    order_loss,
)
from keras_avrep.models.pixel_features import pixel_features
from keras_avrep.models.pretraining_task import PretrainingTask


@keras.saving.register_keras_serializable(package="keras_avrep")
class ControllableAugmentations(PretrainingTask):
    """Region- and order-aware features from unlabelled video.

    Local clips and a global view of a video are augmented with known parameters,
    so it is known which of their regions show the same place at the same time.
    Those are contrasted, low-level cues are kept out of them, and the order of
    the local clips is read against the global view.

    Inspired by the paper, whose formulae were not at hand: see the card.

    Args:
        backbone: `keras_avrep.backbones.VideoResNetBackbone` or another with
            `stages`.
        views: `ControllableAugmentationsViews`, or `None` for its defaults.
        num_local: int. Local clips of a video. Defaults to `3`.
        max_global_stride: int. Of the global view, in frames. Defaults to `8`.
        hidden_dim: int. Hidden width of the projection heads. Defaults to `512`.
        projection_dim: int. Size of the embeddings. Defaults to `128`.
        region_stage: string. The stage whose map is cut into regions. Defaults
            to `"stage4"`.
        grid: 3 ints. Regions along time, height and width; they must divide the
            map. Defaults to `(2, 4, 4)`.
        target: string. What regions are pulled together by, see `RegionOverlap`.
            Defaults to `"overlap"`; `"hard"` is the baseline.
        sigma: float. Of the target `"gaussian"`, in regions of the other view.
            Defaults to `0.5`.
        predictor: bool. Whether one side of the region contrast goes through a
            further head. Defaults to `True`.
        ignore_same_video_negatives: bool. Whether regions of the same video that
            have no weight are left out instead of being negatives. Defaults to
            `False`.
        local_pairs: bool. Whether local clips are each other's positives in the
            instance contrast too. Defaults to `False`.
        information: string. Form of the mutual information term, see
            `MutualInformationMinimisation`. Defaults to `"jsd"`.
        critic_dim: int. Hidden width of its critic. Defaults to `256`.
        descriptor_stage: string. The stage that describes low-level cues.
            Defaults to `"stem"`.
        reversal_ramp: int. Batches until that term has its full strength; 0 for
            at once. Defaults to `0`.
        time_stages: dict from stage to float. Where timestamps are retrieved, and
            with what weight. Defaults to `{"stage3": 1.0}`.
        order: string. Form of the order term, see `TemporalOrderHead`. Defaults
            to `"contrast"`.
        temperature: float. Of every contrast. Defaults to `0.07`.
        chunks: int. Parts of the batch whose region logits are held one at a time,
            see `keras_avrep.losses.map_in_chunks`. Defaults to `1`.
        num_negatives: int. Regions drawn of each other video to compare regions
            with, which saves time in large batches; `None` for all. Defaults to `None`.
        loss_weights: dict from `"instance"`, `"region"`, `"region_difference"`
            (regions of frame differences, which encodes every clip twice),
            `"mutual_information"`, `"timestamp"` and `"order"` to floats. A term
            left out is not built: `{"instance": 1.0}` is plain instance contrast.
            Only instance and order train the stages after `region_stage`.
            Defaults to 0.5, 1, left out, 0.1, 0.5 and 0.5.
        seed: int. Of default views and drawn negatives. Defaults to `None`.

    Example:
    ```python
    backbone = keras_avrep.backbones.VideoResNetBackbone("3d")
    model = keras_avrep.models.ControllableAugmentations(backbone)
    sampler = model.training_sampler({"num_frames": 16, "stride": 1})
    ```

    Raises:
        ValueError: if a stage or term is unknown, or no colours change to tell of.

    Reference: Qian, Lin, See, Li, arXiv:2203.16632; note sections 3 to 5.
    """

    backbone_cls = VideoResNetBackbone
    views_cls = ControllableAugmentationsViews
    presets = PRESETS
    preset_folder = FOLDER
    baseline = {"loss_weights": {INSTANCE: 1.0}}
    clips_per_video = 4

    def __init__(
        self,
        backbone,
        views=None,
        num_local=3,
        max_global_stride=8,
        hidden_dim=512,
        projection_dim=128,
        region_stage="stage4",
        grid=(2, 4, 4),
        target="overlap",
        sigma=0.5,
        predictor=True,
        ignore_same_video_negatives=False,
        local_pairs=False,
        information="jsd",
        critic_dim=256,
        descriptor_stage="stem",
        reversal_ramp=0,
        time_stages=None,
        order="contrast",
        temperature=0.07,
        chunks=1,
        num_negatives=None,
        loss_weights=None,
        seed=None,
        preprocessor=None,
        **kwargs,
    ):
        weights = check_weights(loss_weights)
        check_form(order, information, target, ignore_same_video_negatives, temperature)
        time_stages = dict({"stage3": 1.0} if time_stages is None else time_stages)
        stages = {"region_stage": [region_stage], "time_stages": list(time_stages)}
        check_stages(backbone, {**stages, "descriptor_stage": [descriptor_stage]})
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        # === Functional model ===
        video, _, features = pixel_features(backbone)
        super().__init__(inputs=video, outputs=features, compile=False, **kwargs)
        # === Config ===
        self.num_local = num_local
        self.max_global_stride = max_global_stride
        self.hidden_dim = hidden_dim
        self.projection_dim = projection_dim
        self.region_stage = region_stage
        self.grid = tuple(grid)
        self.target = target
        self.sigma = sigma
        self.predictor = predictor
        self.ignore_same_video_negatives = ignore_same_video_negatives
        self.local_pairs = local_pairs
        self.information = information
        self.critic_dim = critic_dim
        self.descriptor_stage = descriptor_stage
        self.reversal_ramp = reversal_ramp
        self.time_stages = time_stages
        self.order = order
        self.temperature = temperature
        self.chunks = chunks
        self.num_negatives = num_negatives
        self.loss_weights = weights
        self.seed = seed
        # === Training state ===
        if views is None:
            views = ControllableAugmentationsViews(seed=seed)
        self.views = views
        if INFORMATION in weights and information == "colours":
            check_colours(views)
        self.clips_per_video = num_local + 1
        self._build_regions()
        self._build_heads()
        self.build_step()

    # --- what is built ---------------------------------------------------------

    def _has(self, *terms):
        return any(term in self.loss_weights for term in terms)

    def _build_regions(self):
        self.last_stage = list(self.backbone.stages)[-1]
        names = {self.last_stage}
        if self._has(REGION, DIFFERENCE, INFORMATION):
            names.add(self.region_stage)
        if self._has(INFORMATION):
            names.add(self.descriptor_stage)
        if self._has(TIMESTAMP):
            names.update(self.time_stages)
        stages = self.backbone.with_stages(sorted(names))
        # In a function, so that the backbone's layers are not found twice.
        self.stage_maps = lambda clips: stages(clips, training=True)
        self.region_pool = RegionPool(self.grid)
        self.region_overlap = RegionOverlap(self.grid, self.target, self.sigma)
        self.differences = StaticDynamicDecoupler("repeat")

    def _build_heads(self):
        features = self.backbone.feature_dim
        if self._has(INSTANCE):
            self.instance_head = self._head("instance_head", features)
        if self._has(REGION, DIFFERENCE, INFORMATION):
            channels = self._channels(self.region_stage)
            self.region_head = self._head("region_head", channels)
        if self._has(REGION, DIFFERENCE) and self.predictor:
            self.region_predictor = self._head("region_predictor", self.projection_dim)
        if self._has(REGION, DIFFERENCE) and self.num_negatives is not None:
            self.negative_seed = keras.random.SeedGenerator(self.seed)
        if self._has(INFORMATION):
            self.information_term = MutualInformationMinimisation(
                self.information, self.critic_dim, name="information_term"
            )
            channels = self._channels(self.descriptor_stage)
            shapes = [(None, None, None, n) for n in (self.projection_dim, channels)]
            self.information_term.build(*shapes)
        if self._has(TIMESTAMP):
            self.time_heads = {
                stage: self._head(f"time_head_{stage}", self._channels(stage))
                for stage in self.time_stages
            }
        if self._has(ORDER):
            self.order_head = TemporalOrderHead(
                self.num_local,
                self.hidden_dim,
                self.projection_dim,
                self.order,
                self.temperature,
                name="order_head",
            )
            self.order_head.build((None, self.num_local, features))

    def _head(self, name, channels):
        head = ProjectionHead(self.hidden_dim, self.projection_dim, name=name)
        head.build((None, None, None, channels))
        return head

    def _channels(self, stage):
        return self.backbone.stages[stage].shape[-1]

    # --- around a run ----------------------------------------------------------

    @classmethod
    def changes_for(cls, preset, num_videos, batch_size, steps):
        return {"reversal_ramp": steps // 5, "chunks": chunks_of_batch(batch_size)}

    def training_sampler(self, clip):
        """Local clips at the clip's stride or up to twice it, and a global view."""
        return LocalGlobalSampler(
            self.num_local,
            clip["num_frames"],
            (clip["stride"], 2 * clip["stride"]),
            self.max_global_stride,
        )

    def inference_models(self):
        """The representation, and `regions`: pixels to embeddings `(B, R, D)`."""
        models = super().inference_models()
        if self._has(REGION, DIFFERENCE, INFORMATION):
            video = self.inputs[0]
            stage = self.backbone.with_stages([self.region_stage])
            feature_map = stage(self.get_layer("normalise")(video))
            regions = self.region_head(self.region_pool(feature_map[self.region_stage]))
            models["regions"] = keras.Model(video, regions, name="regions")
        return models

    # --- the parts of a step ---------------------------------------------------

    def make_views(self, batch):
        return self.views(batch)

    def key_forward(self, views):
        """Nothing: both sides of every contrast have gradients."""
        return {}

    def query_forward(self, views, keys):
        clips = views["clips"]
        count = clips.shape[1]
        flat = ops.reshape(clips, (-1, *clips.shape[2:]))
        maps = self.stage_maps(flat)
        pooled = ops.mean(ops.cast(maps[self.last_stage], "float32"), axis=(1, 2, 3))
        outputs = {
            "features": by_video(pooled, count),
            "records": views["records"],
            "colours": views["colours"],
            "ordered": views["ordered"],
        }
        if self._has(REGION, DIFFERENCE):
            outputs["weights"] = both_ways(self.region_overlap, views["records"])
        if self._has(REGION, DIFFERENCE, INFORMATION):
            outputs["regions"] = self._regions(maps, count)
        if self._has(DIFFERENCE):
            maps_of_differences = self.stage_maps(self.differences.difference(flat))
            outputs["difference_regions"] = self._regions(maps_of_differences, count)
        if self._has(INFORMATION):
            descriptors = self.region_pool(maps[self.descriptor_stage])
            outputs["descriptors"] = by_video(descriptors, count)
        if self._has(TIMESTAMP):
            outputs["slots"] = {
                stage: by_video(head(over_space(maps[stage])), count)
                for stage, head in self.time_heads.items()
            }
        return outputs

    def compute_losses(self, outputs, batch=None):
        """The named terms, unweighted."""
        losses = {}
        if self._has(INSTANCE):
            losses[INSTANCE] = instance_loss(
                self.instance_head(outputs["features"]),
                self.local_pairs,
                self.temperature,
            )
        for term, name in ((REGION, "regions"), (DIFFERENCE, "difference_regions")):
            if self._has(term):
                losses[term] = self._region_loss(outputs[name], outputs["weights"])
        if self._has(INFORMATION):
            losses[INFORMATION] = self.information_term(
                outputs["regions"],
                outputs["descriptors"],
                outputs["colours"],
                strength=reversal_strength(self.batches_seen, self.reversal_ramp),
            )
        if self._has(TIMESTAMP):
            losses[TIMESTAMP] = timestamp_losses(
                outputs["slots"], outputs["records"], self.time_stages, self.temperature
            )
        if self._has(ORDER):
            features = outputs["features"]
            logits = self.order_head(features[:, :-1], features[:, -1])
            losses[ORDER] = order_loss(logits, outputs["ordered"])
        return losses

    @property
    def statistic_names(self):
        return statistic_names(self.loss_weights)

    def statistics(self, outputs):
        return augmentations_statistics(outputs, getattr(self, "instance_head", None))

    def _regions(self, maps, count):
        pooled = self.region_pool(maps[self.region_stage])
        return by_video(self.region_head(pooled), count)

    def _region_loss(self, regions, weights):
        return region_loss(
            regions,
            weights,
            self.region_predictor if self.predictor else None,
            self.num_negatives,
            getattr(self, "negative_seed", None),
            temperature=self.temperature,
            ignore_same_sample_negatives=self.ignore_same_video_negatives,
            chunks=self.chunks,
        )

    def get_config(self):
        names = (
            "num_local", "max_global_stride", "hidden_dim", "projection_dim",
            "region_stage", "grid", "target", "sigma", "predictor",
            "ignore_same_video_negatives", "local_pairs", "information",
            "critic_dim", "descriptor_stage", "reversal_ramp", "order",
            "temperature", "chunks", "num_negatives", "seed",
        )  # fmt: skip
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
            "time_stages": dict(self.time_stages),
            "loss_weights": dict(self.loss_weights),
        }
