import keras

from keras_avrep.backbones.image_resnet import BasicBlockBuilder
from keras_avrep.backbones.staged_backbone import StagedBackbone


@keras.saving.register_keras_serializable(package="keras_avrep")
class AudioResNetBackbone(StagedBackbone):
    """Residual network of basic blocks over spectrograms: ResNet-18.

    The network of `ImageResNetBackbone` with one channel: time is its height,
    mel bins are its width.

    Args:
        blocks: list of 4 ints. Residual blocks of each stage. Defaults to
            `[2, 2, 2, 2]`.
        width_multiplier: float. Scales every channel count. Defaults to `1.0`.
        last_stride: int. Of the last stage, 1 or 2. Defaults to `1`.
        spectrogram_shape: tuple. `(frames, mel_bins, channels)` of the input,
            the first two may be `None`. Defaults to `(None, None, 1)`.
        dtype: dtype policy of the layers.

    Returns:
        A model from spectrograms `(batch, frames, mel_bins, 1)` to a map
        `(batch, frames / 16, mel_bins / 16, 512 * width_multiplier)`.

    Example:
    ```python
    spectrogram = LogMel()(keras.random.uniform((1, 16000), -1, 1))
    backbone = AudioResNetBackbone(width_multiplier=0.125)
    backbone(spectrogram[..., None]).shape  # (1, 13, 4, 64)
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 3.1.
    """

    def __init__(
        self,
        blocks=(2, 2, 2, 2),
        width_multiplier=1.0,
        last_stride=1,
        spectrogram_shape=(None, None, 1),
        dtype=None,
        **kwargs,
    ):
        # === Functional model ===
        spectrogram = keras.Input(shape=spectrogram_shape, name="spectrogram")
        build = BasicBlockBuilder(blocks, width_multiplier, last_stride, dtype)
        stages = build.stages(spectrogram)
        super().__init__(
            inputs=spectrogram, outputs=stages["stage4"], dtype=dtype, **kwargs
        )
        # === Config ===
        self.blocks = list(blocks)
        self.width_multiplier = width_multiplier
        self.last_stride = last_stride
        self.spectrogram_shape = tuple(spectrogram_shape)
        self.feature_dim = stages["stage4"].shape[-1]
        self.stages = stages

    def get_config(self):
        return {
            **super().get_config(),
            "blocks": self.blocks,
            "width_multiplier": self.width_multiplier,
            "last_stride": self.last_stride,
            "spectrogram_shape": self.spectrogram_shape,
        }
