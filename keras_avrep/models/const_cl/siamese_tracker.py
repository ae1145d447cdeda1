import functools
import math

import keras
from keras import ops

from keras_avrep.layers import CrossCorrelation2D
from keras_avrep.models.const_cl.region_task import RegionTask
from keras_avrep.models.const_cl.tracking import track, training_pair
from keras_avrep.models.pixel_features import normalise_layer

# What makes a response every 8 pixels of the trunk, without new weights.
STRIDES, DILATIONS = [1, 2, 1, 1], [1, 1, 2, 4]
STRIDE = 8


@keras.saving.register_keras_serializable(package="keras_avrep")
class SiameseTracker(RegionTask):
    """Where in a search image the thing in an exemplar is: SiamFC on a video trunk.

    The trunk is frozen; one 1x1 convolution for either image is trained. An image
    is held for eight frames, and the middle step is read.

    Args:
        backbone: `keras_avrep.backbones.ResNet3DBackbone` with a stride of 8 in
            all; `for_backbone` and `from_preset` make it from any.
        out_scale: float. Factor of the response. Defaults to 0.02 by the trunk's
            channels, so 1e-5 for 2048.
        num_frames: int. Frames that an image is held for. Defaults to `8`.
        exemplar_size: int. Pixels of an exemplar. Defaults to `120`.
        search_size: int. Pixels of a search image. Defaults to `255`.

    Call arguments:
        inputs: dict of `exemplar` `(batch, exemplar_size, exemplar_size, 3)` and
            `search` `(batch, search_size, search_size, 3)`, pixels from 0 to 255.

    Returns:
        Response `(batch, h, w)`, float32 logits.

    Raises:
        ValueError: if the backbone's stride is not 8.

    Example:
    ```python
    tracker = keras_avrep.models.SiameseTracker.from_preset("runs/first/preset")
    read = keras_avrep.data.read_got10k("GOT-10k", "train")
    pairs = keras_avrep.evaluation.TrackingPairs(tracker, read.sequences)
    keras_avrep.models.train_tracker(tracker, pairs)
    boxes = tracker.follow(frames, first_box)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6, the recipe of VFS.
    """

    def __init__(
        self,
        backbone,
        out_scale=None,
        num_frames=8,
        exemplar_size=120,
        search_size=255,
        preprocessor=None,
        **kwargs,
    ):
        # The stem takes 4 pixels a step.
        stride = 4 * math.prod(backbone.spatial_strides)
        if stride != STRIDE:
            raise ValueError(
                f"`backbone` makes one cell of {stride} pixels; a tracker needs "
                f"{STRIDE}: build it with `SiameseTracker.for_backbone`."
            )
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        backbone.trainable = False
        dim = backbone.feature_dim
        # === Functional model ===
        normalise, maps = normalise_layer(), {}
        inputs = {
            "exemplar": keras.Input((exemplar_size, exemplar_size, 3), name="exemplar"),
            "search": keras.Input((search_size, search_size, 3), name="search"),
        }
        for name, image in inputs.items():
            clip = ops.repeat(normalise(image)[:, None], num_frames, axis=1)
            x = backbone(clip)
            adjust = keras.layers.Conv2D(dim, 1, dtype="float32", name=f"{name}_adjust")
            maps[name] = adjust(x[:, x.shape[1] // 2])
        scale = out_scale if out_scale is not None else 0.02048 / dim
        correlation = CrossCorrelation2D(scale, name="response")
        response = correlation(maps["search"], maps["exemplar"])
        super().__init__(inputs=inputs, outputs=response, compile=False, **kwargs)
        # === Config ===
        self.out_scale = out_scale
        self.num_frames = num_frames
        self.exemplar_size = exemplar_size
        self.search_size = search_size

    @functools.cached_property
    def template(self):
        """The model from exemplars to what is looked for, `(batch, h, w, C)`."""
        layer = self.get_layer("exemplar_adjust")
        return keras.Model(self.input["exemplar"], layer.output, name="template")

    @functools.cached_property
    def search(self):
        """The model from `search` images and `template` to responses."""
        template = keras.Input(self.template.output_shape[1:], name="template")
        features = self.get_layer("search_adjust").output
        inputs = {"search": self.input["search"], "template": template}
        response = self.get_layer("response")(features, template)
        return keras.Model(inputs, response, name="search")

    def follow(self, frames, box, settings=None):
        """Boxes of one thing in all frames, as `keras_avrep.models.track` finds them.

        Args:
            frames: what gives one frame `(H, W, 3)` after the other.
            box: 4 floats, `left, top, width, height` in pixels, in the first.
            settings: `TrackingSettings`. Defaults to those of the recipe.

        Returns:
            float array `(T, 4)` of such boxes, the given one first.
        """
        return track(self, frames, box, settings)

    def training_pair(self, exemplar, search, shift):
        """An exemplar and a search image of one target, to train on.

        Args:
            exemplar: frame `(H, W, 3)` and its box `left, top, width, height`, in
                pixels.
            search: another frame and its box.
            shift: 2 floats, `y, x`. Where the target is to lie from the centre of the
                search image, in pixels of it.

        Returns:
            Exemplar and search image, float32. `TrackingPairs` in
            `keras_avrep.evaluation` makes batches of them.
        """
        return training_pair(self, exemplar, search, shift)

    @classmethod
    def prepare_backbone(cls, backbone):
        config = {
            **backbone.get_config(),
            "spatial_strides": STRIDES,
            "dilations": DILATIONS,
        }
        dilated = type(backbone).from_config(config)
        dilated.set_weights(backbone.get_weights())
        return dilated

    def get_config(self):
        return {
            **super().get_config(),
            "out_scale": self.out_scale,
            "num_frames": self.num_frames,
            "exemplar_size": self.exemplar_size,
            "search_size": self.search_size,
        }
