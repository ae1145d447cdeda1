from keras import ops


def kernel_l2(layer):
    """Half the sum of squares of all kernels in a layer: a decay within the loss.

    A kernel is the trainable variable that a layer has as its `kernel`, whatever
    it is called; biases and norms have none. Each counts once.

    Args:
        layer: Keras layer or model.

    Returns:
        float32 scalar.

    Example:
    ```python
    dense = keras.layers.Dense(2, kernel_initializer="ones")
    dense.build((None, 3))
    kernel_l2(dense)  # 3.0
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    total = ops.zeros((), "float32")
    for kernel in kernels_of(layer):
        total += ops.sum(ops.square(ops.cast(kernel, "float32"))) / 2
    return total


def kernels_of(layer):
    """The trainable kernels anywhere in a layer or model.

    Args:
        layer: built layer or model.

    Returns:
        List of variables in the order of the layers, each once.

    Example:
    ```python
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    len(kernels_of(model))  # 1
    ```
    """
    own = {id(v) for v in layer.trainable_variables}
    kernels = {}
    for part in layer._flatten_layers():
        kernel = getattr(part, "kernel", None)
        if id(kernel) in own:
            kernels[id(kernel)] = kernel
    return list(kernels.values())
