import keras
from keras import ops

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.layers import (
    ConceptBank,
    ConceptCrossAttention,
    FeatureQueue,
    ProjectionHeads,
    ProjectionMLP,
)
from keras_avrep.losses import concept_fidelity, local_concept_contrast
from keras_avrep.models.pixel_features import pixel_features
from keras_avrep.models.pretraining_task import PretrainingTask
from keras_avrep.models.static_dynamic_concepts.concept_readout import (
    ConceptReadout,
    ModeHead,
)
from keras_avrep.models.static_dynamic_concepts.concepts_presets import (
    FOLDER,
    PRESETS,
)
from keras_avrep.models.static_dynamic_concepts.concepts_terms import (
    AGREEMENTS,
    CONTRASTS,
    HEAD_MODES,
    agreement,
    check_weights,
    columns_of,
    contrast,
    modes_of,
    wrong_mode_entropy,
)
from keras_avrep.models.static_dynamic_concepts.concepts_views import (
    StaticDynamicConceptsViews,
)
from keras_avrep.views import ConsecutiveClips


@keras.saving.register_keras_serializable(package="keras_avrep")
class StaticDynamicConcepts(PretrainingTask):
    """A dictionary of static and dynamic concepts, learned from unlabelled video.

    A frozen frame tells which concepts are static, frame differences which are
    dynamic: the distributions over concepts of a clip agree with those of each.
    Concepts then gather local features from the clip, and those that are strong
    in both clips of a video are contrasted.

    Args:
        backbone: `keras_avrep.backbones.VideoResNetBackbone`.
        views: `StaticDynamicConceptsViews`, or `None` for its defaults.
        num_static: int. Static concepts. Defaults to `100`.
        num_dynamic: int. Dynamic concepts. Defaults to `100`.
        bank_constraint: see `ConceptBank`. Defaults to `None`.
        hidden_dim: int. Hidden width of heads and decoders. Defaults to `512`.
        projection_dim: int. Size of the contrasted embeddings. Defaults to `128`.
        queue_size: int. Earlier clips whose logits balance the codes. Defaults to
            `1024`.
        temperature: float. Of the contrast of whole clips. Defaults to `0.07`.
        concept_temperature: float. Of distributions over concepts. Defaults to
            `0.1`.
        epsilon: float. Of the balanced codes, see `sinkhorn_codes`. Defaults to
            `0.05`.
        top: int or `None`. How far down concepts count in the local contrast, see
            `strongest_concepts`. Defaults to `10`.
        margin: float. Of the local contrast. Defaults to `1.4`.
        freeze_bank_for: int. Batches in which concepts get no gradient and the
            queue is only filled. Defaults to `0`.
        local_after: int. Batches before the local contrast counts. Defaults to
            `0`.
        max_step: float. How many times the clips' stride they may be slowed down,
            see `ConsecutiveClips`. Defaults to `3`.
        loss_weights: dict from `"vv"`, `"vs"`, `"vd"`, `"static"`, `"dynamic"`,
            `"entropy"`, `"fidelity"`, `"local"` and `"concepts"` (agreement of
            RGB clips over all concepts, without the two kinds) to floats. A term
            left out is not built: `{"vv": 1.0}` is plain instance contrast.
            Defaults to 1 for each but the entropy, 0.1, and `"concepts"`, left
            out.
        seed: int. Of the views made here. Defaults to `None`.

    Example:
    ```python
    backbone = keras_avrep.backbones.VideoResNetBackbone(blocks=[1, 1, 1, 1])
    model = keras_avrep.models.StaticDynamicConcepts(backbone, num_static=50)
    model.compile(optimizer=keras.optimizers.Adam(1e-3, weight_decay=1e-5))
    concepts = model.inference_models()["concepts"]
    concepts.predict(clips)["attention"]  # (N, t, h, w, 150)
    ```

    Reference: Qian, Ding, Liu, Lin, arXiv:2207.12795.
    """

    backbone_cls = VideoResNetBackbone
    views_cls = StaticDynamicConceptsViews
    presets = PRESETS
    preset_folder = FOLDER
    baseline = {"loss_weights": {"vv": 1.0}}

    def __init__(
        self,
        backbone,
        views=None,
        num_static=100,
        num_dynamic=100,
        bank_constraint=None,
        hidden_dim=512,
        projection_dim=128,
        queue_size=1024,
        temperature=0.07,
        concept_temperature=0.1,
        epsilon=0.05,
        top=10,
        margin=1.4,
        freeze_bank_for=0,
        local_after=0,
        max_step=3.0,
        loss_weights=None,
        seed=None,
        preprocessor=None,
        **kwargs,
    ):
        weights = check_weights(loss_weights)
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        # === Functional model ===
        video, _, features = pixel_features(backbone)
        super().__init__(inputs=video, outputs=features, compile=False, **kwargs)
        # === Config ===
        self.num_static = num_static
        self.num_dynamic = num_dynamic
        self.bank_constraint = bank_constraint
        self.hidden_dim = hidden_dim
        self.projection_dim = projection_dim
        self.queue_size = queue_size
        self.temperature = temperature
        self.concept_temperature = concept_temperature
        self.epsilon = epsilon
        self.top = top
        self.margin = margin
        self.freeze_bank_for = freeze_bank_for
        self.local_after = local_after
        self.max_step = max_step
        self.loss_weights = weights
        self.seed = seed
        # === Training state ===
        if views is None:
            views = StaticDynamicConceptsViews(seed=seed)
        self.views = views
        self.modes = modes_of(weights)
        self._build_contrast()
        if set(weights) - set(CONTRASTS):
            self._build_concepts()
        self.build_step()

    # --- what is built ---------------------------------------------------------

    def _build_contrast(self):
        terms = [term for term in CONTRASTS if term in self.loss_weights]
        self.contrast_terms = terms
        heads = {head for t in terms for pair in CONTRASTS[t][0] for head in pair}
        names = [head for head in HEAD_MODES if head in heads]
        self.heads = ProjectionHeads(
            names, self.hidden_dim, self.projection_dim, name="projection_heads"
        )
        self.heads.build((None, self.backbone.feature_dim))

    def _build_concepts(self):
        dim, count = self.backbone.feature_dim, self.num_static + self.num_dynamic
        self.banks, self.mode_heads, self.decoders = {}, {}, {}
        for mode in self.modes:
            self.banks[mode] = ConceptBank(
                self.num_static,
                self.num_dynamic,
                dim,
                self.bank_constraint,
                name=f"bank_{mode}",
            )
            self.mode_heads[mode] = ModeHead(dim, name=f"mode_head_{mode}")
            self.mode_heads[mode].build((None, dim))
            if "fidelity" in self.loss_weights:
                decoder = ProjectionMLP(self.hidden_dim, dim, 1, name=f"decoder_{mode}")
                columns = columns_of(mode, self.banks[mode])
                decoder.build((None, len(range(count)[columns])))
                self.decoders[mode] = decoder
        self.attention = ConceptCrossAttention(name="concept_attention")
        self.attention.build((None, None, None, None, dim), (count, dim))
        self.attention.trainable = "local" in self.loss_weights
        self.queue_names = [f"{mode}{clip}" for mode in self.modes for clip in (1, 2)]
        self.queue = FeatureQueue(
            self.queue_names, self.queue_size, count, seed=self.seed, name="queue"
        )

    # --- around a run ----------------------------------------------------------

    @classmethod
    def changes_for(cls, preset, num_videos, batch_size, steps):
        size = cls.presets[preset]["task"]["queue_size"]
        return {
            "queue_size": max(batch_size, min(size, num_videos // 2)),
            "freeze_bank_for": steps // 20,
            "local_after": steps // 4,
        }

    def training_sampler(self, clip):
        return ConsecutiveClips(clip["num_frames"], clip["stride"], self.max_step)

    def inference_models(self):
        """The representation, and `concepts`: pixels to what they say of a clip.

        The latter gives `logits` `(B, 2K)`, `local_features` `(B, 2K, C)` and
        `attention` `(B, t, h, w, 2K)`, static concepts first.
        """
        models = super().inference_models()
        if hasattr(self, "banks"):
            models["concepts"] = self._concept_model()
        return models

    def _concept_model(self):
        video = self.inputs[0]
        feature_map = self.backbone(self.get_layer("normalise")(video))
        features = self.get_layer("embedding")(feature_map)
        readout = ConceptReadout(
            self.num_static,
            self.num_dynamic,
            self.backbone.feature_dim,
            name="concepts",
        )
        outputs = readout(feature_map, features)
        readout.head.set_weights(self.mode_heads["rgb"].get_weights())
        readout.bank.set_weights(self.banks["rgb"].get_weights())
        readout.attention.set_weights(self.attention.get_weights())
        return keras.Model(video, outputs, name="concepts")

    def units(self, clips):
        """How strongly, and where, each concept is excited by clips.

        Args:
            clips: array `(N, T, H, W, 3)` of pixels, 0 to 255.

        Returns:
            Dict from `"static"` and `"dynamic"` to float32 arrays
            `(N, t, h, w, K)`: attention relative to an even one, times the
            positive part of the logit.
        """
        found = self._concept_model().predict(
            ops.convert_to_numpy(clips).astype("float32"), batch_size=16, verbose=0
        )
        attention, logits = found["attention"], found["logits"]
        places = attention.shape[1] * attention.shape[2] * attention.shape[3]
        excited = attention * places * logits.clip(0)[:, None, None, None]
        bank = self.banks["rgb"]
        return {
            "static": excited[..., bank.static_slice],
            "dynamic": excited[..., bank.dynamic_slice],
        }

    # --- the parts of a step ---------------------------------------------------

    def make_views(self, batch):
        return self.views(batch)

    def key_forward(self, views):
        """Nothing: there is no momentum encoder."""
        return {}

    def query_forward(self, views, keys):
        """Maps and pooled features of both clips in every mode, and what follows."""
        stacked = [views[mode] for mode in self.modes]
        clips = ops.concatenate(stacked, axis=0)
        flat = ops.reshape(clips, (-1, *clips.shape[2:]))
        maps = ops.split(self.backbone(flat, training=True), len(self.modes), axis=0)
        maps = dict(zip(self.modes, maps, strict=True))
        pooled = {
            mode: ops.mean(ops.cast(x, "float32"), axis=(1, 2, 3))
            for mode, x in maps.items()
        }
        outputs = {
            "embeddings": self._pairs(
                self.heads({h: pooled[HEAD_MODES[h]] for h in self.heads.names})
            )
        }
        if hasattr(self, "banks"):
            outputs.update(self._concept_outputs(maps, pooled))
        return outputs

    def _concept_outputs(self, maps, pooled):
        frozen = self.batches_seen < self.freeze_bank_for
        logits, rebuilt, local = {}, {}, {}
        for mode in self.modes:
            bank = self.banks[mode]
            unit = self.mode_heads[mode](pooled[mode], training=True)
            logits[mode] = bank(unit, frozen)
            columns = columns_of(mode, bank)
            if mode in self.decoders:
                own = logits[mode][:, columns]
                rebuilt[mode] = self.decoders[mode](own, training=True)
            if "local" in self.loss_weights:
                concepts = bank.concepts(frozen)[columns]
                local[mode] = self.attention(maps[mode], concepts)[0]
        return {
            "features": pooled,
            "logits": self._pairs(logits),
            "rebuilt": rebuilt,
            "local": self._pairs(local),
        }

    def compute_losses(self, outputs, batch=None):
        """The named terms, unweighted."""
        losses = {
            term: contrast(term, outputs["embeddings"], self.temperature)
            for term in self.contrast_terms
        }
        for term in AGREEMENTS:
            if term in self.loss_weights:
                losses[term] = self._agreement(term, outputs["logits"])
        if "entropy" in self.loss_weights:
            losses["entropy"] = wrong_mode_entropy(
                outputs["logits"], self.banks["rgb"], self.concept_temperature
            )
        if "fidelity" in self.loss_weights:
            losses["fidelity"] = sum(
                concept_fidelity(outputs["features"][mode], outputs["rebuilt"][mode])
                for mode in self.modes
            )
        if "local" in self.loss_weights:
            begun = ops.cast(self.batches_seen >= self.local_after, "float32")
            losses["local"] = begun * self._local_loss(outputs)
        return losses

    def query_losses(self, views, keys, batch):
        outputs = self.query_forward(views, keys)
        losses = self.compute_losses(outputs, batch)
        if hasattr(self, "banks"):
            # Codes are constants of the step: nothing reads the queue any more.
            self.queue.enqueue(self._queued(outputs["logits"]))
        return self.total_loss(losses), losses

    def _queued(self, logits):
        return {
            f"{mode}{clip + 1}": logits[mode][:, clip]
            for mode in self.modes
            for clip in (0, 1)
        }

    def _agreement(self, term, logits):
        columns = columns_of(term, self.banks["rgb"])
        names = [f"{mode}{clip}" for mode in AGREEMENTS[term] for clip in (1, 2)]
        current = self._queued(logits)
        valid = ops.logical_and(
            self.queue.valid(), self.batches_seen >= self.freeze_bank_for
        )
        return agreement(
            [current[name][:, columns] for name in names],
            [self.queue.keys(name)[:, columns] for name in names],
            valid,
            self.concept_temperature,
            self.epsilon,
        )

    def _local_loss(self, outputs):
        return sum(
            local_concept_contrast(
                outputs["local"][mode],
                outputs["logits"][mode][..., columns_of(mode, self.banks[mode])],
                self.top,
                self.margin,
            )
            for mode in self.modes
        )

    def _pairs(self, by_name):
        """Tensors `(2 B, ...)` as `(B, 2, ...)`."""
        return {
            name: ops.reshape(x, (-1, 2, *x.shape[1:])) for name, x in by_name.items()
        }

    def get_config(self):
        names = (
            "num_static", "num_dynamic", "bank_constraint", "hidden_dim",
            "projection_dim", "queue_size", "temperature", "concept_temperature",
            "epsilon", "top", "margin", "freeze_bank_for", "local_after", "max_step",
            "seed",
        )  # fmt: skip
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
            "loss_weights": dict(self.loss_weights),
        }
