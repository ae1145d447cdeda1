import functools

import keras
import numpy as np
from keras import ops

from keras_avrep.backbones import ResNet3DBackbone
from keras_avrep.layers import ProjectionMLP
from keras_avrep.losses import chunks_of_batch, kernel_l2, nt_xent, region_nce
from keras_avrep.models.check_arguments import check_above_zero, check_choice
from keras_avrep.models.const_cl.const_cl_presets import FOLDER, PRESETS
from keras_avrep.models.const_cl.const_cl_statistics import (
    const_cl_statistics,
    statistic_names,
)
from keras_avrep.models.const_cl.const_cl_terms import (
    BRANCHES,
    MATCHES,
    check_weights,
    match_regions,
)
from keras_avrep.models.const_cl.const_cl_views import ConSTCLViews
from keras_avrep.models.const_cl.region_transform_head import (
    HEADS,
    RegionFeatures,
    RegionTransformHead,
)
from keras_avrep.models.pixel_features import normalise_layer, pixel_features
from keras_avrep.models.pretraining_task import PretrainingTask
from keras_avrep.views import LinearDecaySampler

# The whole frame, its middle, its quarters, and slots that are left empty: as many
# as a LiteRT file has.
EXAMPLE_BOXES = np.array(
    [
        [0, 0, 1, 1],
        [0.25, 0.25, 0.75, 0.75],
        [0, 0, 0.5, 0.5],
        [0, 0.5, 0.5, 1],
        [0.5, 0, 1, 0.5],
        [0.5, 0.5, 1, 1],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ],
    "float32",
)


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConSTCL(PretrainingTask):
    """Contextualised spatio-temporal contrast: clips as wholes, and their regions.

    The pooled features of two clips of a video are contrasted with those of other
    videos. Beside that, regions of one clip are rewritten with the other clip as
    context and contrasted with that one's own regions, on a last stage of their
    own, the second arm of a Y.

    Args:
        backbone: `keras_avrep.backbones.ResNet3DBackbone`.
        views: `ConSTCLViews`, or `None` for its defaults at 224 pixels.
        hidden_dim: int. Width of the global head. Defaults to `2048`.
        projection_dim: int. Size of its embeddings. Defaults to `128`.
        global_temperature: float. Defaults to `0.1`.
        local_temperature: float. Defaults to `0.2`.
        loss_weights: dict from `"global"`, `"local"` and `"kernel_l2"` to floats.
            A term left out is not built: `{"global": 1.0}` is CVRL. Defaults to 1,
            0.001 and 1e-6. With Adam or LAMB a weight of 0.001 does nothing to
            what only the local term trains: choose your own there.
        branch: string. `"y"` for a last stage of the regions' own, `"shared"` for
            one last stage. Defaults to `"y"`.
        local_head: string. `"decoder"`, or `"mlp"` without context. Defaults to
            `"decoder"`.
        context_length: int, odd. Steps of context. Defaults to `5`.
        roi_size: int. Bins of a box along each side. Defaults to `4`.
        num_layers: int. Layers of the local head. Defaults to `3`.
        num_heads: int. Heads of a decoder layer. Defaults to `3`.
        head_dim: int. Channels of a head. Defaults to `128`.
        match: string. The positive of a region: the most similar one,
            `"argmax"`, that of the same `"index"`, or the one that overlaps it
            most in the frame, `"geometric"`, where regions that overlap none do
            not count. Defaults to `"argmax"`.
        same_video_negatives: bool. Whether other regions of the same video are
            negatives. Defaults to `False`.
        mask_targets: bool. Whether padding is left out of positives and negatives;
            the released code leaves it in. Only known boxes have any, see
            `keras_avrep.data.BoxedClips`. Defaults to `True`.
        chunks: int. Parts of the batch whose region logits are held one at a
            time; see `region_nce`. Defaults to `1`.
        seed: int. Of the views made here. Defaults to `None`.

    Example:
    ```python
    backbone = keras_avrep.backbones.ResNet3DBackbone(blocks=[1, 1, 1, 1])
    model = keras_avrep.models.ConSTCL(backbone)
    model.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9))
    sampler = keras_avrep.views.LinearDecaySampler()
    batches = keras_avrep.data.clip_dataset(records, sampler, batch_size=32)
    model.fit(batches, steps_per_epoch=100)
    regions = model.inference_models()["region_features"]
    regions.predict({"video": clips, "boxes": boxes})  # (N, boxes, 2048)
    ```

    Reference: Yuan et al., arXiv:2112.05181.
    """

    backbone_cls = ResNet3DBackbone

    def __init__(
        self,
        backbone,
        views=None,
        hidden_dim=2048,
        projection_dim=128,
        global_temperature=0.1,
        local_temperature=0.2,
        loss_weights=None,
        branch="y",
        local_head="decoder",
        context_length=5,
        roi_size=4,
        num_layers=3,
        num_heads=3,
        head_dim=128,
        match="argmax",
        same_video_negatives=False,
        mask_targets=True,
        chunks=1,
        seed=None,
        preprocessor=None,
        **kwargs,
    ):
        weights = check_weights(loss_weights)
        check_choice("branch", branch, BRANCHES)
        check_choice("match", match, MATCHES)
        check_choice("local_head", local_head, HEADS)
        check_above_zero(
            global_temperature=global_temperature, local_temperature=local_temperature
        )
        if context_length % 2 == 0:
            raise ValueError(f"`context_length` must be odd, got {context_length}.")
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        # === Functional model ===
        video, _, features = pixel_features(backbone)
        super().__init__(inputs=video, outputs=features, compile=False, **kwargs)
        # === Config ===
        self.hidden_dim = hidden_dim
        self.projection_dim = projection_dim
        self.global_temperature = global_temperature
        self.local_temperature = local_temperature
        self.loss_weights = weights
        self.branch = branch
        self.local_head = local_head
        self.context_length = context_length
        self.roi_size = roi_size
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.match = match
        self.same_video_negatives = same_video_negatives
        self.mask_targets = mask_targets
        self.chunks = chunks
        self.seed = seed
        # === Training state ===
        self.views = views if views is not None else ConSTCLViews(seed=seed)
        self.global_head = ProjectionMLP(hidden_dim, projection_dim, name="global_head")
        self.global_head.build((None, backbone.feature_dim))
        self.local_stage = None
        self.region_head = None
        if "local" in weights:
            self._build_local()
        self.build_step()

    presets = PRESETS
    preset_folder = FOLDER
    views_cls = ConSTCLViews
    takes_boxes = True
    baseline = {"loss_weights": {"global": 1.0}}

    @classmethod
    def changes_for(cls, preset, num_videos, batch_size, steps):
        return {"chunks": chunks_of_batch(batch_size)}

    def _build_local(self):
        if self.branch == "y":
            self.local_stage = self.backbone.stage_copy("stage4", "stage4_local")
        self.region_head = RegionTransformHead(
            self.local_head,
            self.context_length,
            self.roi_size,
            self.num_layers,
            self.num_heads,
            self.head_dim,
            name="region_head",
        )
        dim = self.backbone.feature_dim
        self.region_head.build((None, None, None, None, dim), (None, None, 4))

    def training_sampler(self, clip):
        return LinearDecaySampler(clip["num_frames"], clip["stride"])

    # --- the parts of a step -------------------------------------------------

    def make_views(self, batch):
        return self.views(batch)

    def key_forward(self, views):
        return {}

    def query_forward(self, views, keys, training=True):
        """Embeddings of both views and, unless left out, their regions."""
        # All first views, then all second ones; each half is a view from here on.
        video = _stack_views(views["video"])
        if "local" not in self.loss_weights:
            maps = self.backbone(video, training=training)
            return self._global_outputs(maps, training)
        maps = self._maps(video, training)
        boxes = _stack_views(views["boxes"])
        outputs = self.region_head(maps["local"], boxes, training=training)
        regions = zip(*(ops.split(outputs[n], 2) for n in outputs), strict=True)
        names = list(outputs)
        return {
            **self._global_outputs(maps["global"], training),
            "local": [
                {
                    **dict(zip(names, values, strict=True)),
                    "frame_boxes": views["frame_boxes"][:, view],
                    "mask": views["box_mask"][:, view],
                }
                for view, values in enumerate(regions)
            ],
        }

    def compute_losses(self, outputs, batch=None):
        """The named terms, unweighted: up to three."""
        losses = {"global": nt_xent(*outputs["global"], self.global_temperature)}
        if "local" in self.loss_weights:
            first, second = outputs["local"]
            there, back = (
                self._region_loss(first, second),
                self._region_loss(second, first),
            )
            losses["local"] = (there + back) / 2
        if "kernel_l2" in self.loss_weights:
            losses["kernel_l2"] = kernel_l2(self)
        return losses

    @property
    def statistic_names(self):
        return statistic_names(self.loss_weights)

    def statistics(self, outputs):
        return const_cl_statistics(
            outputs,
            self.match,
            self.mask_targets,
            self.global_temperature,
            self.chunks,
        )

    # --- what they are made of -----------------------------------------------

    @functools.cached_property
    def trunk(self):
        """The backbone with the map that the two arms of the Y grow from."""
        return self.backbone.with_stages(["stage3", "stage4"])

    def _maps(self, video, training):
        """The maps of the global and the local arm."""
        if self.local_stage is None:
            shared = self.backbone(video, training=training)
            return {"global": shared, "local": shared}
        maps = self.trunk(video, training=training)
        local = self.local_stage(maps["stage3"], training=training)
        return {"global": maps["stage4"], "local": local}

    def _global_outputs(self, maps, training=True):
        pooled = ops.mean(ops.cast(maps, "float32"), axis=(1, 2, 3))
        embeddings = self.global_head(pooled, training=training)
        return {"global": ops.split(embeddings, 2)}

    def _region_loss(self, source, target):
        """Regions of one view, rewritten, against those of the other."""
        target_mask = target["mask"] if self.mask_targets else None
        matched, counted = match_regions(self.match, source, target, target_mask)
        return region_nce(
            source["transformed"],
            target["regions"],
            matched,
            counted,
            target_mask,
            self.local_temperature,
            self.same_video_negatives,
            self.chunks,
        )

    # --- what is taken elsewhere ---------------------------------------------

    def inference_models(self):
        """The representation, and `region_features` from pixels and boxes.

        The latter takes `video` `(B, T, H, W, 3)`, 0 to 255, and `boxes`
        `(B, N, 4)`, relative `y1, x1, y2, x2` in the frame `T // 2`, and gives
        features `(B, N, C)` of the regions' own branch. A SavedModel of it takes any
        number of boxes, a LiteRT file eight: fill up with zeros and leave out the
        same rows of the result, as no box changes what another gives.
        """
        models = {"representation": self.representation}
        if "local" in self.loss_weights:
            models["region_features"] = self._region_features()
        return models

    def inference_inputs(self, name, clips):
        inputs = {"video": clips}
        if name == "region_features":
            inputs["boxes"] = np.repeat(EXAMPLE_BOXES[None], len(clips), axis=0)
        return inputs

    def open_axes(self, name):
        return {"boxes": 1} if name == "region_features" else {}

    def calibrated_model(self):
        if self.local_stage is None:
            return super().calibrated_model()
        # The regions' own branch has batch norms beside those of the representation.
        video = keras.Input(self.backbone.input_shape[1:], name="video")
        maps = self._maps(normalise_layer()(video), None)
        return keras.Model(video, maps, name="calibrated")

    def _region_features(self):
        video = keras.Input(self.backbone.input_shape[1:], name="video")
        boxes = keras.Input((None, 4), name="boxes")
        maps = self._maps(normalise_layer()(video), None)["local"]
        regions = RegionFeatures(self.roi_size, name="region_features")(maps, boxes)
        inputs = {"video": video, "boxes": boxes}
        return keras.Model(inputs, regions, name="region_features")

    def region_backbone(self):
        """A plain backbone whose last stage is the regions' own, a copy.

        For boxes and tracking, as the model itself is for whole clips. Without a
        local term, or with a shared last stage, it is a copy of the backbone.

        Returns:
            `ResNet3DBackbone`.

        Example:
        ```python
        model.region_backbone().save_to_preset("regions")
        localiser = ActionLocaliser.from_preset("regions", num_classes=5)
        ```
        """
        copy = type(self.backbone).from_config(self.backbone.get_config())
        copy.set_weights(self.backbone.get_weights())
        if self.local_stage is not None:
            for layer in self.local_stage.layers:
                if layer.weights:
                    name = layer.name.replace("stage4_local", "stage4")
                    copy.get_layer(name).set_weights(layer.get_weights())
        return copy

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "projection_dim": self.projection_dim,
            "global_temperature": self.global_temperature,
            "local_temperature": self.local_temperature,
            "loss_weights": dict(self.loss_weights),
            "branch": self.branch,
            "local_head": self.local_head,
            "context_length": self.context_length,
            "roi_size": self.roi_size,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "match": self.match,
            "same_video_negatives": self.same_video_negatives,
            "mask_targets": self.mask_targets,
            "chunks": self.chunks,
            "seed": self.seed,
        }


def _stack_views(x):
    """From `(B, 2, ...)` to `(2 B, ...)`, all first views before the second ones."""
    return ops.concatenate([x[:, 0], x[:, 1]], axis=0)
