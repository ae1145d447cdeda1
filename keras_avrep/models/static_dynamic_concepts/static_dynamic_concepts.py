import keras
from keras import ops

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.layers import (
    ActivationMap,
    ConceptFilter,
    FeatureQueue,
    ProjectionHeads,
    SinkhornAssignment,
)
from keras_avrep.losses import chunks_of_batch
from keras_avrep.models.pixel_features import pixel_features
from keras_avrep.models.pretraining_task import PretrainingTask
from keras_avrep.models.static_dynamic_concepts import concept_objectives as objectives
from keras_avrep.models.static_dynamic_concepts import concept_terms as terms
from keras_avrep.models.static_dynamic_concepts.concept_dictionary import (
    ConceptDictionary,
    activated_shares,
    pooled,
)
from keras_avrep.models.static_dynamic_concepts.concept_presets import (
    FOLDER,
    PRESETS,
    SCHEDULED_BY_SHARE,
)
from keras_avrep.models.static_dynamic_concepts.concept_statistics import (
    concept_statistics,
    statistic_names,
)
from keras_avrep.models.static_dynamic_concepts.concept_views import ConceptViews
from keras_avrep.views import ConsecutiveClips


@keras.saving.register_keras_serializable(package="keras_avrep")
class StaticDynamicConcepts(PretrainingTask):
    """A dictionary of static and dynamic visual concepts from unlabelled video.

    Features of a clip, of a frozen frame of it (static) and of its frame
    differences (dynamic) are compared with concepts. The clip's distribution over
    static concepts is aligned with the frozen frame's, the one over dynamic
    concepts with the differences'. Concepts then gather local features by
    cross-attention; those that a clip activates are contrasted between clips.

    Args:
        backbone: `keras_avrep.backbones.VideoResNetBackbone`.
        views: `ConceptViews`, or `None` for its defaults at 128 pixels.
        num_static: int. Static concepts. Defaults to `100`.
        num_dynamic: int. Dynamic concepts. Defaults to `100`.
        embedding_dim: int. Size of a concept. Defaults to the channels of the
            backbone.
        hidden_dim: int. Hidden width of heads and decoders. Defaults to `512`.
        projection_dim: int. Size of the contrasted embeddings. Defaults to `128`.
        attention_dim: int. Hidden width in the cross-attention. Defaults to
            `256`.
        queue_size: int. Videos whose logits are kept for balanced codes, well
            below the number of videos. Defaults to `1024`.
        temperature: float. Of the contrasts. Defaults to `0.07`.
        concept_temperature: float. Of the distributions over concepts. Defaults
            to `0.1`.
        epsilon: float. Of the codes, see `SinkhornAssignment`. Defaults to 0.05.
        iterations: int. Of the codes. Defaults to `3`.
        top: int or `None`. Concepts of a clip that take part in the local
            contrast, see `ConceptFilter`; `None` for all. Defaults to `10`.
        margin: float. Of the local contrast. Defaults to `1.4`.
        chunks: int. Parts of the batch whose local distances are held one at a
            time; see `local_concept_contrast`. Defaults to `1`.
        constraint: `None` or `"unit_norm"`, see `ConceptBank`. Defaults to `None`.
        loss_weights: dict from `"vv"`, `"vs"`, `"vd"` (contrasts), `"static"`,
            `"dynamic"` (alignments), `"pooled"` (all inputs aligned over all
            concepts, without two kinds), `"entropy"`, `"fidelity"` and `"local"`
            to floats. A term left out is not built: `{"vv": 1.0}` is plain
            instance contrast. Defaults to all but `"pooled"`, at 1 and the
            entropy at 0.1.
        freeze_bank_for: int. Batches in which concepts get no gradient and codes
            are of the batch alone. Defaults to `0`.
        local_after: int. Batches before the local contrast counts. Defaults to 0.
        max_rate: float. Most frames of a video from one frame of a clip to the
            next, see `ConsecutiveClips`. Defaults to `3.0`.
        seed: int. Of the views, if not given, and the queue. Defaults to `None`.

    Example:
    ```python
    backbone = keras_avrep.backbones.VideoResNetBackbone(blocks=[1, 1, 1, 1])
    model = keras_avrep.models.StaticDynamicConcepts(backbone)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    sampler = keras_avrep.views.ConsecutiveClips()
    batches = keras_avrep.data.clip_dataset(records, sampler, batch_size=32)
    model.fit(batches, steps_per_epoch=100)
    concepts = model.inference_models()["concepts"]
    concepts.predict(clips)["attention"]  # (N, t, h, w, 200)
    ```

    Reference: Qian, Ding, Liu, Lin, arXiv:2207.12795.
    """

    backbone_cls = VideoResNetBackbone
    presets = PRESETS
    preset_folder = FOLDER
    views_cls = ConceptViews
    baseline = {"loss_weights": {"vv": 1.0}}

    def __init__(
        self,
        backbone,
        views=None,
        num_static=100,
        num_dynamic=100,
        embedding_dim=None,
        hidden_dim=512,
        projection_dim=128,
        attention_dim=256,
        queue_size=1024,
        temperature=0.07,
        concept_temperature=0.1,
        epsilon=0.05,
        iterations=3,
        top=10,
        margin=1.4,
        chunks=1,
        constraint=None,
        loss_weights=None,
        freeze_bank_for=0,
        local_after=0,
        max_rate=3.0,
        seed=None,
        preprocessor=None,
        **kwargs,
    ):
        weights = terms.check_weights(loss_weights)
        terms.check_temperatures(temperature, concept_temperature, epsilon)
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        # === Functional model ===
        video, _, features = pixel_features(backbone)
        super().__init__(inputs=video, outputs=features, compile=False, **kwargs)
        # === Config ===
        self.num_static = num_static
        self.num_dynamic = num_dynamic
        self.embedding_dim = embedding_dim or backbone.feature_dim
        self.hidden_dim = hidden_dim
        self.projection_dim = projection_dim
        self.attention_dim = attention_dim
        self.queue_size = queue_size
        self.temperature = temperature
        self.concept_temperature = concept_temperature
        self.epsilon = epsilon
        self.iterations = iterations
        self.top = top
        self.margin = margin
        self.chunks = chunks
        self.constraint = constraint
        self.loss_weights = weights
        self.freeze_bank_for = freeze_bank_for
        self.local_after = local_after
        self.max_rate = max_rate
        self.seed = seed
        # === Training state ===
        self.views = views if views is not None else ConceptViews(seed=seed)
        self.modes = terms.input_modes(weights)
        self.heads = ProjectionHeads(
            terms.heads_of(weights), hidden_dim, projection_dim, name="projection_heads"
        )
        self.heads.build((None, backbone.feature_dim))
        self.dictionary = ConceptDictionary(
            terms.concept_modes(weights),
            num_static,
            num_dynamic,
            self.embedding_dim,
            hidden_dim,
            attention_dim,
            constraint,
            rebuild=terms.FIDELITY in weights,
            locate=terms.LOCAL in weights,
            name="dictionary",
        )
        self.dictionary.build(backbone.output_shape)
        self.assignment = SinkhornAssignment(epsilon, iterations)
        self.concept_filter = ConceptFilter(top)
        self.aligned_modes = terms.aligned_modes(weights)
        # Not `queue`: logits are no embeddings, whose spread would be watched.
        self.logit_queue = FeatureQueue(
            [f"{mode}{clip}" for mode in self.aligned_modes for clip in (1, 2)],
            queue_size,
            self.dictionary.num_concepts,
            seed=seed,
            name="logit_queue",
        )
        self.build_step()

    @classmethod
    def changes_for(cls, preset, num_videos, batch_size, steps):
        size = cls.presets[preset]["task"].get("queue_size", 1024)
        if preset in SCHEDULED_BY_SHARE:
            # Between the shares of the released recipes.
            freeze_bank_for, local_after = steps // 20, steps // 4
        else:
            # As released: one round of the videos, and ten.
            freeze_bank_for = num_videos // batch_size
            local_after = 10 * freeze_bank_for
        return {
            # A queue as long as the data would hold the batch's own videos.
            "queue_size": max(batch_size, min(size, num_videos // 2)),
            "chunks": chunks_of_batch(batch_size),
            "freeze_bank_for": freeze_bank_for,
            "local_after": local_after,
        }

    def training_sampler(self, clip):
        return ConsecutiveClips(2, clip["num_frames"], self.max_rate)

    def map_inputs(self, rgb):
        return self.views.decoupler(rgb)

    # --- the parts of a step -------------------------------------------------

    def make_views(self, batch):
        return self.views(batch)

    def key_forward(self, views):
        return {}

    def query_forward(self, views, keys):
        """Features, embeddings and what the concepts of each mode find."""
        maps = self._encode(views)
        features = {mode: pooled(x) for mode, x in maps.items()}
        frozen = self.batches_seen < self.freeze_bank_for
        inputs = {head: features[terms.HEADS[head]] for head in self.heads.names}
        found = {
            mode: self.dictionary.read(mode, maps[mode], features[mode], frozen, True)
            for mode in self.dictionary.modes
        }
        embeddings = self.heads(inputs)
        return {"features": features, "embeddings": embeddings, "found": found}

    def compute_losses(self, outputs, batch=None):
        """The named terms, unweighted; pushes the logits into the queue."""
        found = outputs["found"]
        views = self._logits_by_view(found)
        losses = {name: self._term(name, outputs, views) for name in self.loss_weights}
        if self.aligned_modes:
            # Here rather than in `enqueue`, which sees only what has no gradient.
            # The codes have been read, and no gradient needs the queue.
            self.logit_queue.enqueue(views)
        return losses

    @property
    def statistic_names(self):
        return statistic_names(self.loss_weights)

    def statistics(self, outputs):
        return concept_statistics(
            self.loss_weights, outputs, self.dictionary, self.concept_temperature
        )

    # --- what they are made of -----------------------------------------------

    def _encode(self, views):
        """Feature maps `(2 B, t, h, w, C)` by mode, all encoded in one batch."""
        stacked = [ops.reshape(views[m], (-1, *views[m].shape[2:])) for m in self.modes]
        maps = self.backbone(ops.concatenate(stacked, axis=0), training=True)
        maps = ops.split(maps, len(self.modes), axis=0)
        return dict(zip(self.modes, maps, strict=True))

    def _logits_by_view(self, found):
        logits = {m: objectives.clip_pairs(found[m]["logits"]) for m in found}
        return {
            f"{mode}{clip}": logits[mode][:, clip - 1]
            for mode in self.aligned_modes
            for clip in (1, 2)
        }

    def _term(self, name, outputs, views):
        found = outputs["found"]
        if name in terms.CONTRASTS:
            first, second = (outputs["embeddings"][h] for h in terms.CONTRASTS[name])
            return objectives.contrast(first, second, self.temperature)
        if name in terms.ALIGNMENTS:
            return self._alignment(views, *terms.ALIGNMENTS[name])
        if name == terms.ENTROPY:
            wrong = [
                found[mode]["logits"][:, self.dictionary.columns(kind)]
                for mode, kind in terms.WRONG_KINDS.items()
            ]
            return objectives.entropy(wrong, self.concept_temperature)
        if name == terms.FIDELITY:
            rebuilt = {mode: x["rebuilt"] for mode, x in found.items()}
            return objectives.fidelity(rebuilt, outputs["features"])
        return self._local(found)

    def _alignment(self, views, kind, modes):
        """Swapped prediction between the views of some modes, over one kind."""
        columns = self.dictionary.columns(kind)
        names = [f"{mode}{clip}" for mode in modes for clip in (1, 2)]
        queue = self.logit_queue
        in_use = ops.logical_and(
            queue.valid(), self.batches_seen >= self.freeze_bank_for
        )
        return objectives.alignment(
            ops.stack([views[name][:, columns] for name in names]),
            ops.stack([queue.keys(name)[:, columns] for name in names]),
            in_use,
            self.assignment,
            self.concept_temperature,
        )

    def _local(self, found):
        total = sum(
            objectives.local_contrast(
                x["local_features"],
                x["logits"][:, self.dictionary.columns(mode)],
                self.concept_filter,
                self.margin,
                self.chunks,
            )
            for mode, x in found.items()
        )
        return total * ops.cast(self.batches_seen >= self.local_after, "float32")

    # --- what can be looked at -----------------------------------------------

    def inference_models(self):
        """The representation and, where there are concepts, `concepts`.

        That one goes from pixels to a dict of cosine `logits` `(B, 2K)` and, with
        the local term, unit-norm `local_features` `(B, 2K, C)` and `attention`
        `(B, t, h, w, 2K)`: the share of each concept at each place.
        """
        models = super().inference_models()
        if self._has_concepts():
            outputs = self._read_rgb()
            outputs.pop("rebuilt", None)
            models["concepts"] = keras.Model(self.inputs[0], outputs, name="concepts")
        return models

    def _has_concepts(self):
        return "rgb" in self.dictionary.modes

    def _read_rgb(self):
        features, feature_map = self.outputs[0], self.get_layer("embedding").input
        return self.dictionary.read("rgb", feature_map, features)

    def calibrated_model(self):
        if not self._has_concepts():
            return super().calibrated_model()
        # Mode head and decoder see other features once the backbone is calibrated.
        outputs = {"features": self.outputs[0], **self._read_rgb()}
        return keras.Model(self.inputs[0], outputs, name="calibrated")

    def units(self, clips, batch_size=16):
        """Where each concept is in each clip: its share times the activation.

        Args:
            clips: array `(N, T, H, W, 3)` of pixels, 0 to 255.
            batch_size: int. Clips at a time. Defaults to 16.

        Returns:
            Dict from `"static"` and `"dynamic"` to float32 arrays
            `(N, t, h, w, K)`, in units of a clip's mean activation; empty
            without the local term, which alone teaches concepts their places.

        Example:
        ```python
        model.units(clips)["dynamic"].mean(axis=(1, 2, 3))  # (N, K) strengths
        ```
        """
        if self.dictionary.attention is None:
            return {}
        activation = ActivationMap()(self.get_layer("embedding").input)
        outputs = [self._read_rgb()["attention"], activation]
        model = keras.Model(self.inputs[0], outputs, name="units")
        maps = activated_shares(model, clips, batch_size)
        kinds = {kind: self.dictionary.columns(kind) for kind in ("static", "dynamic")}
        return {kind: maps[..., columns] for kind, columns in kinds.items()}

    def get_config(self):
        return {
            **super().get_config(),
            "num_static": self.num_static,
            "num_dynamic": self.num_dynamic,
            "embedding_dim": self.embedding_dim,
            "hidden_dim": self.hidden_dim,
            "projection_dim": self.projection_dim,
            "attention_dim": self.attention_dim,
            "queue_size": self.queue_size,
            "temperature": self.temperature,
            "concept_temperature": self.concept_temperature,
            "epsilon": self.epsilon,
            "iterations": self.iterations,
            "top": self.top,
            "margin": self.margin,
            "chunks": self.chunks,
            "constraint": self.constraint,
            "loss_weights": dict(self.loss_weights),
            "freeze_bank_for": self.freeze_bank_for,
            "local_after": self.local_after,
            "max_rate": self.max_rate,
            "seed": self.seed,
        }
