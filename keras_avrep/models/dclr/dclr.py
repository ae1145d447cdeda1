import keras
from keras import ops

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.layers import (
    ActivationDecoupler,
    ActivationMap,
    FeatureQueue,
    NeighbourMiner,
    ProjectionHeads,
)
from keras_avrep.losses import activation_alignment, multi_positive_nce
from keras_avrep.models.dclr.dclr_presets import FOLDER, PRESETS
from keras_avrep.models.dclr.dclr_terms import (
    ALIGNMENT,
    HEADS,
    MODES,
    TERMS,
    check_mine,
    check_numbers,
    check_repulsion,
    check_top_k,
    check_weights,
    mining_head,
)
from keras_avrep.models.dclr.dclr_views import DCLRViews
from keras_avrep.models.pixel_features import maps_in_one_batch, pixel_features
from keras_avrep.models.pretraining_task import PretrainingTask
from keras_avrep.training import MomentumEncoder


@keras.saving.register_keras_serializable(package="keras_avrep")
class DCLR(PretrainingTask):
    """Dual contrastive learning of scene and motion from unlabelled video.

    One backbone encodes a clip, a frozen frame of it (static) and its frame
    differences (dynamic); the RGB feature is contrasted with each of the two,
    re-weighted by their activation maps.

    Args:
        backbone: `keras_avrep.backbones.VideoResNetBackbone`.
        views: `DCLRViews`, or `None` for its defaults at 112 pixels.
        hidden_dim: int. Hidden width of the projection heads. Defaults to `512`.
        projection_dim: int. Size of the embeddings. Defaults to `128`.
        queue_size: int. Keys kept for each head, well below the number of
            videos. Defaults to `2048`.
        momentum: float. Of the key encoder. Defaults to `0.999`.
        temperature: float. Defaults to `0.07`.
        loss_weights: dict from `"vv"`, `"vs"`, `"sv"`, `"vd"`, `"dv"` and
            `"activation"` to floats. A term left out is not built:
            `{"vv": 1.0}` is plain instance contrast. Defaults to all five
            contrasts at 1 and the alignment at 0.1.
        activation_decoupling: bool. Whether RGB features are pooled with the
            static and dynamic activation maps. Defaults to `True`.
        mine: list of `"rgb"`, `"static"`, `"dynamic"`: the terms that take
            mined neighbours as further positives. Defaults to all, as released;
            the paper's figure shows `["dynamic"]`.
        top_k: int. Neighbours mined. Defaults to `5`.
        mine_after: int. Batches, those that fill the queues included, before
            neighbours are mined: early ones are noise. Defaults to `0`, as
            released.
        repulsion: bool. Whether the key's dynamic embedding is an extra
            negative of the static contrast and the reverse. Defaults to `False`.
        seed: int. Of the queues, and of the views that are made here. Defaults to
            `None`.

    Example:
    ```python
    backbone = keras_avrep.backbones.VideoResNetBackbone(blocks=[1, 1, 1, 1])
    model = keras_avrep.models.DCLR(backbone)
    model.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9))
    sampler = keras_avrep.views.RandomClips()
    batches = keras_avrep.data.clip_dataset(records, sampler, batch_size=32)
    model.fit(batches, steps_per_epoch=100)
    features = model.predict(clips)  # (N, T, H, W, 3) pixels to (N, 512)
    ```

    Reference: Ding, Qian, Xiong, arXiv:2207.05340.
    """

    backbone_cls = VideoResNetBackbone

    def __init__(
        self,
        backbone,
        views=None,
        hidden_dim=512,
        projection_dim=128,
        queue_size=2048,
        momentum=0.999,
        temperature=0.07,
        loss_weights=None,
        activation_decoupling=True,
        mine=("rgb", "static", "dynamic"),
        top_k=5,
        mine_after=0,
        repulsion=False,
        seed=None,
        preprocessor=None,
        **kwargs,
    ):
        weights = check_weights(loss_weights)
        check_numbers(queue_size, momentum, temperature)
        if repulsion:
            check_repulsion(weights)
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        # === Functional model ===
        video, _, features = pixel_features(backbone)
        super().__init__(inputs=video, outputs=features, compile=False, **kwargs)
        # === Config ===
        self.hidden_dim = hidden_dim
        self.projection_dim = projection_dim
        self.queue_size = queue_size
        self.momentum = momentum
        self.temperature = temperature
        self.loss_weights = weights
        self.activation_decoupling = activation_decoupling
        self.mine = check_mine(mine)
        self.top_k = top_k
        self.mine_after = mine_after
        self.repulsion = repulsion
        self.seed = seed
        # === Training state ===
        self.views = views if views is not None else DCLRViews(seed=seed)
        self.terms = [name for name in TERMS if name in weights]
        heads = [h for h in HEADS if any(h in TERMS[t][:2] for t in self.terms)]
        self.mined_modes = [m for m in ("static", "dynamic") if self._mines(m)]
        if self.mined_modes:
            check_top_k(top_k, queue_size)
        self.heads = ProjectionHeads(
            heads, hidden_dim, projection_dim, name="projection_heads"
        )
        self.heads.build((None, backbone.feature_dim))
        banks = [f"bank_{mode}" for mode in self.mined_modes]
        self.queue = FeatureQueue(
            [*heads, *banks], queue_size, projection_dim, seed=seed, name="queue"
        )
        self.miner = NeighbourMiner(top_k)
        self.activation_map = ActivationMap()
        self.activation_pool = ActivationDecoupler()
        self.momentum_encoder = MomentumEncoder(
            [backbone, self.heads], momentum, name="momentum_encoder"
        )
        self.build_step()

    presets = PRESETS
    preset_folder = FOLDER
    views_cls = DCLRViews
    baseline = {"loss_weights": {"vv": 1.0}}

    @classmethod
    def changes_for(cls, preset, num_videos, batch_size, steps):
        task = cls.presets[preset]["task"]
        # A queue as long as the data would hold other clips of the query's video.
        size = max(batch_size, min(task["queue_size"], num_videos // 2))
        # Of a short one most would be positives.
        top_k = max(1, min(task.get("top_k", 5), size // 4))
        return {"queue_size": size, "top_k": top_k}

    def after_loading(self):
        super().after_loading()
        if int(ops.convert_to_numpy(self.queue.count)) == 0:
            # No training state came with the backbone: the twins start from it.
            self.momentum_encoder.copy_from([self.backbone, self.heads])

    def warmup_batches(self, batch_size):
        return -(-self.queue_size // batch_size)

    def map_inputs(self, rgb):
        middle = rgb[:, rgb.shape[1] // 2, None]
        return {
            "rgb": rgb,
            "static": ops.repeat(middle, rgb.shape[1], axis=1),
            "dynamic": self.views.decoupler.difference(rgb),
        }

    def feature_maps(self, inputs):
        """Maps of the twin, which a step weights its features with."""
        return maps_in_one_batch(self.momentum_encoder.twins[0], inputs)

    # --- the parts of a step -------------------------------------------------

    def make_views(self, batch):
        return self.views(batch)

    def update_momentum(self):
        self.momentum_encoder.update([self.backbone, self.heads])

    def key_forward(self, views):
        """Keys of clip k, and maps and mining embeddings of clip q."""
        backbone, heads = self.momentum_encoder.twins
        maps_k = self._encode(backbone, views, 1, self._modes())
        keys = {
            "embeddings": self._project(heads, maps_k, self._activations(maps_k)),
            "activations": {},
            "mining": {},
        }
        needed = self._query_key_modes()
        if needed:
            # With the inputs of clip k: another mixture in the batch would be another
            # batch norm, and what is searched for would not be what is found.
            modes = [m for m in MODES if m in {*self._modes(), *needed}]
            maps_q = self._encode(backbone, views, 0, modes)
            keys["activations"] = self._activations(maps_q)
            keys["mining"] = self._mining_embeddings(heads, maps_q)
        return keys

    def query_forward(self, views, keys):
        maps = self._encode(self.backbone, views, 0, self._modes())
        outputs = {
            "embeddings": self._project(self.heads, maps, keys["activations"]),
            "keys": keys,
        }
        if ALIGNMENT in self.loss_weights:
            outputs["rgb_map"] = self.activation_map(maps["rgb"])
        return outputs

    def compute_losses(self, outputs, batch=None):
        """The named terms, unweighted: up to five contrasts and the alignment."""
        keys, valid = outputs["keys"], self.queue.valid()
        positives = self._mined_positives(keys["mining"], valid)
        losses = {}
        for term in self.terms:
            query, key, mode = TERMS[term]
            losses[term] = multi_positive_nce(
                outputs["embeddings"][query],
                keys["embeddings"][key],
                self.queue.keys(key),
                valid,
                positives.get(mode),
                self._repelled(term, keys["embeddings"]),
                self.temperature,
            )
        if ALIGNMENT in self.loss_weights:
            activations = keys["activations"]
            # An unaligned frozen frame says nothing about places in the clip.
            static = activations.get("static") if self.views.align_static else None
            losses[ALIGNMENT] = activation_alignment(
                outputs["rgb_map"], static, activations["dynamic"]
            )
        return losses

    @property
    def statistic_names(self):
        return ("activation_spread",) if ALIGNMENT in self.loss_weights else ()

    def statistics(self, outputs):
        """How uneven the clip's map is: at 0 the alignment is met by nothing seen."""
        if ALIGNMENT not in self.loss_weights:
            return {}
        spread = ops.std(outputs["rgb_map"], axis=(1, 2, 3, 4))
        return {"activation_spread": ops.mean(spread)}

    def enqueue(self, keys):
        embeddings = keys["embeddings"]
        banks = {
            f"bank_{mode}": embeddings[mining_head(mode)] for mode in self.mined_modes
        }
        self.queue.enqueue({**embeddings, **banks})

    # --- what they are made of -----------------------------------------------

    def _modes(self):
        """Input modes that some head or the alignment needs."""
        modes = {HEADS[head][0] for head in self.heads.names} | {"rgb"}
        if self.activation_decoupling:
            modes |= {HEADS[head][1] for head in self.heads.names}
        return [mode for mode in MODES if mode in modes]

    def _query_key_modes(self):
        """Modes of the query clip that the key encoder has to tell of."""
        modes = set(self.mined_modes)
        if self.activation_decoupling:
            modes |= {HEADS[head][1] for head in self.heads.names} - {None}
        if ALIGNMENT in self.loss_weights:
            modes |= {"static", "dynamic"}
        return modes

    def _encode(self, backbone, views, clip, modes):
        """Feature maps of one of the two clips, all modes in one batch."""
        stacked = ops.concatenate([views[mode][:, clip] for mode in modes], axis=0)
        maps = ops.split(backbone(stacked, training=True), len(modes), axis=0)
        return dict(zip(modes, maps, strict=True))

    def _activations(self, maps):
        return {m: self.activation_map(maps[m]) for m in maps if m != "rgb"}

    def _project(self, heads, maps, activations):
        pooled = {}
        for head in self.heads.names:
            mode, activation = HEADS[head]
            weights = (
                activations.get(activation) if self.activation_decoupling else None
            )
            pooled[head] = self.activation_pool(maps[mode], weights)
        return heads(pooled)

    def _mining_embeddings(self, heads, maps):
        pooled = {
            mining_head(mode): self.activation_pool(maps[mode])
            for mode in self.mined_modes
        }
        return heads(pooled)

    def _mines(self, mode):
        """Whether similarities of this mode's own view are needed."""
        has_term = any(TERMS[t][2] == mode for t in self.terms)
        return has_term and (mode in self.mine or "rgb" in self.mine)

    def _mined_positives(self, embeddings, valid):
        """Masks of the queue slots taken as further positives, by mode."""
        shares = {}
        if self.mine_after:
            valid = ops.logical_and(valid, self.batches_seen >= self.mine_after)
        for mode in self.mined_modes:
            bank = ops.transpose(self.queue.keys(f"bank_{mode}"))
            similarity = ops.matmul(embeddings[mining_head(mode)], bank)
            masked = ops.where(valid[None, :], similarity, -1e4)
            shares[mode] = ops.softmax(masked, axis=-1)
        positives = {
            mode: self.miner(share, valid)
            for mode, share in shares.items()
            if mode in self.mine
        }
        if "rgb" in self.mine and shares:
            positives["rgb"] = self.miner(sum(shares.values()), valid)
        return positives

    def _repelled(self, term, embeddings):
        if not self.repulsion:
            return None
        return embeddings.get({"vs": "dv", "vd": "sv"}.get(term))

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "projection_dim": self.projection_dim,
            "queue_size": self.queue_size,
            "momentum": self.momentum,
            "temperature": self.temperature,
            "loss_weights": dict(self.loss_weights),
            "activation_decoupling": self.activation_decoupling,
            "mine": self.mine,
            "top_k": self.top_k,
            "mine_after": self.mine_after,
            "repulsion": self.repulsion,
            "seed": self.seed,
        }
