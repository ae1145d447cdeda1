"""When the steps of a backbone are, in frames of the video."""

import numpy as np
from keras import ops


def step_centres(num_frames, kernel=5, stride=2):
    """Frames of a clip on which the steps of a strided convolution are centred.

    The padding is that of TensorFlow's `"same"`: one less in front where the
    stride divides an even number of frames. Later symmetric kernels keep centres.

    Args:
        num_frames: int. Frames of the clip.
        kernel: int. Length of the strided kernel in time. Defaults to `5`.
        stride: int. Defaults to `2`.

    Returns:
        float32 array `(steps,)`: for even clips 1, 3, 5, …; for odd 0, 2, 4, ….

    Example:
    ```python
    step_centres(8)  # [1, 3, 5, 7]
    ```

    Reference: note of TeG (arXiv:2112.04480), section 3.
    """
    steps = -(-num_frames // stride)
    padding = max((steps - 1) * stride + kernel - num_frames, 0)
    front = padding // 2
    return (np.arange(steps) * stride - front + (kernel - 1) / 2).astype("float32")


def step_times(start, frame_stride, num_frames, kernel=5, stride=2):
    """Raw frames on which the steps of clips are centred.

    Args:
        start: tensor or array `(batch,)`. Raw frame of each clip's first frame.
        frame_stride: tensor or array `(batch,)`. Raw frames from one to the next.
        num_frames: int. Frames of a clip.
        kernel: int. Of the strided convolution. Defaults to `5`.
        stride: int. Of the strided convolution. Defaults to `2`.

    Returns:
        Tensor `(batch, steps)`.

    Example:
    ```python
    step_times(np.array([20]), np.array([2]), 8)  # [[22, 26, 30, 34]]
    ```

    Reference: note of TeG (arXiv:2112.04480), section 3.
    """
    # As a tensor: an array does not multiply what lies on a GPU.
    centres = ops.convert_to_tensor(step_centres(num_frames, kernel, stride))
    start, frame_stride = (
        ops.cast(ops.convert_to_tensor(x), "float32") for x in (start, frame_stride)
    )
    return start[:, None] + frame_stride[:, None] * centres[None, :]
