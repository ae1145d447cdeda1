import keras
from keras import ops

from keras_avrep.backbones import ResNet3DBackbone
from keras_avrep.layers import ProjectionMLP, SpatialPool
from keras_avrep.losses import chunks_of_batch, nt_xent, temporal_nce
from keras_avrep.losses.temporal_nce import MATCHES, NEGATIVES
from keras_avrep.models.check_arguments import check_above_zero, check_choice
from keras_avrep.models.pixel_features import pixel_features
from keras_avrep.models.pretraining_task import PretrainingTask
from keras_avrep.models.teg.step_times import step_times
from keras_avrep.models.teg.teg_presets import FOLDER, PRESETS
from keras_avrep.models.teg.teg_statistics import statistic_names, teg_statistics
from keras_avrep.models.teg.teg_terms import check_weights, linear_ramp
from keras_avrep.models.teg.teg_views import NUMBERS, TeGViews
from keras_avrep.views import NestedClipSampler


@keras.saving.register_keras_serializable(package="keras_avrep")
class TeG(PretrainingTask):
    """Video features with a dial from what persists to what happens when.

    A short clip lies within a long one. The persistent term pulls the two clips'
    embeddings together; the fine term pulls those of corresponding time steps
    together, away from other steps of the same video and of others.

    Args:
        backbone: `keras_avrep.backbones.ResNet3DBackbone`, which keeps time.
        views: `TeGViews`, or `None` for its defaults at 224 pixels.
        hidden_dim: int. Hidden width of the projections. Defaults to `2048`.
        projection_dim: int. Size of the embeddings. Defaults to `128`.
        projection_layers: int. Hidden layers of a projection. Defaults to `3`.
        share_heads: bool. Whether steps and clips have one projection. Defaults
            to `False`.
        loss_weights: dict from `"fine"` and `"persistent"` to floats. A term left
            out is not built. Defaults to 1 and 1, which gives the persistent
            term about twice the gradient: it is a sum of two directions.
        fine_temperature: float. Defaults to `0.1`.
        persistent_temperature: float. Defaults to `0.1`.
        negatives: string. Of the fine term: `"within"` the video, `"across"`
            videos or `"both"`. Defaults to `"both"`.
        delta: float. Steps of the same video at most this many raw frames away
            are no negatives; higher asks for less exact times. Defaults to
            `None`, half a step.
        match: string. `"nearest"` step or `"interpolated"`, for clips whose steps
            do not meet. Defaults to `"nearest"`.
        symmetric: bool. Whether long steps are asked for short ones as well.
            Defaults to `True`.
        cross_steps: int. Steps that each other video gives as negatives, taking
            turns. Defaults to `None`, all.
        cross_chunks: int. Parts in which the negatives of other videos are taken, to
            save memory. Defaults to `1`.
        fine_ramp_after: int. Batches before the fine term counts, where it is not
            the only one. Defaults to `0`.
        fine_ramp_for: int. Batches over which it then rises to its weight.
            Defaults to `0`.
        long_frames: int. Frames of the long clip. Defaults to `32`.
        long_stride: int. Frames of the video from one to the next. Defaults to
            `2`.
        align: bool. Whether the short clip starts whole steps after the long
            one. Defaults to `True`.
        seed: int. Of the views where they are not given. Defaults to `None`.

    Example:
    ```python
    backbone = keras_avrep.backbones.ResNet3DBackbone()
    model = keras_avrep.models.TeG(backbone)
    model.compile(optimizer=keras.optimizers.SGD(0.32, momentum=0.9))
    sampler = model.training_sampler({"num_frames": 16, "stride": 2})
    batches = keras_avrep.data.clip_dataset(records, sampler, batch_size=32)
    model.fit(batches, steps_per_epoch=100)
    steps = model.inference_models()["steps"]
    features = steps.predict(clips)  # (N, T, H, W, 3) pixels to (N, T / 2, 2048)
    ```

    Reference: Qian et al., arXiv:2112.04480; note of TeG.
    """

    backbone_cls = ResNet3DBackbone

    def __init__(
        self,
        backbone,
        views=None,
        hidden_dim=2048,
        projection_dim=128,
        projection_layers=3,
        share_heads=False,
        loss_weights=None,
        fine_temperature=0.1,
        persistent_temperature=0.1,
        negatives="both",
        delta=None,
        match="nearest",
        symmetric=True,
        cross_steps=None,
        cross_chunks=1,
        fine_ramp_after=0,
        fine_ramp_for=0,
        long_frames=32,
        long_stride=2,
        align=True,
        seed=None,
        preprocessor=None,
        **kwargs,
    ):
        weights = check_weights(loss_weights)
        check_choice("negatives", negatives, NEGATIVES)
        check_choice("match", match, MATCHES)
        check_above_zero(
            fine_temperature=fine_temperature,
            persistent_temperature=persistent_temperature,
        )
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        # === Functional model ===
        video, feature_map, features = pixel_features(backbone)
        super().__init__(inputs=video, outputs=features, compile=False, **kwargs)
        # === Config ===
        self.hidden_dim = hidden_dim
        self.projection_dim = projection_dim
        self.projection_layers = projection_layers
        self.share_heads = share_heads
        self.loss_weights = weights
        self.fine_temperature = fine_temperature
        self.persistent_temperature = persistent_temperature
        self.negatives = negatives
        self.delta = delta
        self.match = match
        self.symmetric = symmetric
        self.cross_steps = cross_steps
        self.cross_chunks = cross_chunks
        self.fine_ramp_after = fine_ramp_after
        self.fine_ramp_for = fine_ramp_for
        self.long_frames = long_frames
        self.long_stride = long_stride
        self.align = align
        self.seed = seed
        # === Training state ===
        self.views = views if views is not None else TeGViews(seed=seed)
        self.pool = SpatialPool(name="spatial_pool")
        self.step_features = self.pool(feature_map)
        self.heads = {term: self._projection(term) for term in self._head_names()}
        self.build_step()

    presets = PRESETS
    preset_folder = FOLDER
    views_cls = TeGViews
    baseline = {"loss_weights": {"persistent": 1.0}}

    @classmethod
    def changes_for(cls, preset, num_videos, batch_size, steps):
        chunks = {"cross_chunks": chunks_of_batch(batch_size)}
        weights = check_weights(cls.presets[preset]["task"].get("loss_weights"))
        if len(weights) < 2:
            return chunks
        twentieth = max(1, steps // 20)
        return {
            **chunks,
            "fine_ramp_after": twentieth,
            "fine_ramp_for": twentieth,
        }

    def training_sampler(self, clip):
        return NestedClipSampler(
            clip["num_frames"],
            clip["stride"],
            self.long_frames,
            self.long_stride,
            self.align,
        )

    def inference_models(self):
        """The representation, and `steps`: pixels to features of each time step."""
        steps = keras.Model(self.inputs[0], self.step_features, name="steps")
        return {**super().inference_models(), "steps": steps}

    # --- the parts of a step -------------------------------------------------

    def make_views(self, batch):
        return self.views({name: batch[name] for name in ("short", "long", *NUMBERS)})

    def key_forward(self, views):
        """Nothing: both clips are queries."""
        return {}

    def query_forward(self, views, keys):
        """Embeddings of both clips and their steps, and when the steps are."""
        outputs = {"looped": views["looped"]}
        # Long first: batch norm keeps the statistics of both, in this order.
        for clip in ("long", "short"):
            pixels = views[clip]
            steps = self.pool(self.backbone(pixels, training=True))
            outputs[f"{clip}_times"] = step_times(
                views[f"{clip}_start"], views[f"{clip}_stride"], pixels.shape[1]
            )
            if "fine" in self.loss_weights:
                outputs[f"{clip}_steps"] = self._project("fine", steps)
            if "persistent" in self.loss_weights:
                pooled = ops.mean(steps, axis=1)
                outputs[clip] = self._project("persistent", pooled)
        return outputs

    def compute_losses(self, outputs, batch=None):
        """The two terms, unweighted and without the ramp."""
        losses = {}
        if "fine" in self.loss_weights:
            losses["fine"] = temporal_nce(
                *(outputs[name] for name in ("short_steps", "long_steps")),
                *(outputs[name] for name in ("short_times", "long_times")),
                negatives=self.negatives,
                temperature=self.fine_temperature,
                delta=self.delta,
                match=self.match,
                symmetric=self.symmetric,
                within_rows=outputs["looped"] < 0.5,
                cross_steps=self.cross_steps,
                cross_offset=ops.convert_to_tensor(self.batches_seen),
                cross_chunks=self.cross_chunks,
            )
        if "persistent" in self.loss_weights:
            losses["persistent"] = nt_xent(
                outputs["short"], outputs["long"], self.persistent_temperature
            )
        return losses

    @property
    def statistic_names(self):
        return statistic_names(self.loss_weights)

    def statistics(self, outputs):
        return teg_statistics(self.loss_weights, outputs)

    def total_loss(self, losses):
        """Weighted sum of the terms, the fine one as far as it is brought in."""
        # Alone, the fine term has nothing to wait for.
        if "fine" in losses and len(losses) > 1:
            ramp = linear_ramp(
                self.batches_seen, self.fine_ramp_after, self.fine_ramp_for
            )
            losses = {**losses, "fine": ramp * losses["fine"]}
        return super().total_loss(losses)

    # --- what they are made of -----------------------------------------------

    def _head_names(self):
        return ["shared"] if self.share_heads else list(self.loss_weights)

    def _project(self, term, features):
        """Embeddings `(..., dim)` of features `(..., channels)`."""
        head = self.heads["shared" if self.share_heads else term]
        # As rows, so that one head takes steps and clips.
        rows = ops.reshape(features, (-1, features.shape[-1]))
        embeddings = head(rows, training=True)
        return ops.reshape(embeddings, (-1, *features.shape[1:-1], self.projection_dim))

    def _projection(self, name):
        head = ProjectionMLP(
            self.hidden_dim,
            self.projection_dim,
            self.projection_layers,
            name=f"{name}_projection",
        )
        head.build((None, self.backbone.feature_dim))
        return head

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "projection_dim": self.projection_dim,
            "projection_layers": self.projection_layers,
            "share_heads": self.share_heads,
            "loss_weights": dict(self.loss_weights),
            "fine_temperature": self.fine_temperature,
            "persistent_temperature": self.persistent_temperature,
            "negatives": self.negatives,
            "delta": self.delta,
            "match": self.match,
            "symmetric": self.symmetric,
            "cross_steps": self.cross_steps,
            "cross_chunks": self.cross_chunks,
            "fine_ramp_after": self.fine_ramp_after,
            "fine_ramp_for": self.fine_ramp_for,
            "long_frames": self.long_frames,
            "long_stride": self.long_stride,
            "align": self.align,
            "seed": self.seed,
        }
