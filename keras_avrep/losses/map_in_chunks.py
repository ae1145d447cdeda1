import math

import keras
from keras import ops

# Videos whose logits are held at a time, at most, in a batch of any size.
VIDEOS_OF_A_CHUNK = 64


def chunks_of_batch(batch_size: int) -> int:
    """Parts of a batch with which the memory of logits grows as the batch does.

    Whole, logits grow with its square. Parts are equal, so a batch whose size has few
    divisors, such as a prime, has many of them; small batches stay whole.

    Args:
        batch_size: int. Videos.

    Returns:
        int, at least 1.

    Example:
    ```python
    chunks_of_batch(32), chunks_of_batch(1024)  # 1, 16
    ```

    Reference: `benchmarks/memory.py` measures what parts of one video save.
    """
    fewest = -(-batch_size // VIDEOS_OF_A_CHUNK)
    return next(n for n in range(fewest, batch_size + 1) if batch_size % n == 0)


def map_in_chunks(function, parts, shared, chunks):
    """Call a function on pieces of a batch, one after the other, to save memory.

    What a piece computes is thrown away and computed again for the gradient, so
    that only one piece's intermediate results are held at a time. The pieces are
    the steps of a loop: written out one by one, a compiler may run them together.

    Args:
        function: from the tensors of `parts` and `shared` to a tensor whose first
            axis is the piece's.
        parts: tuple of tensors `(batch, ...)` that are cut into pieces. Whole
            numbers among them are below 2^24.
        shared: tuple of tensors that every piece gets whole.
        chunks: int. Number of pieces, 1 for none; the largest common divisor with
            the batch is taken. A batch of unknown size, as `fit` has it on
            TensorFlow, is taken one sample at a time.

    Returns:
        Tensor `(batch, ...)`, the results put together.

    Example:
    ```python
    x = keras.ops.ones((4, 2))
    map_in_chunks(lambda x, y: keras.ops.matmul(x, y), (x,), (x[:2],), chunks=2)
    ```
    """
    batch = parts[0].shape[0]
    if isinstance(batch, int):
        chunks = math.gcd(batch, chunks)
    if chunks == 1:
        return function(*parts, *shared)
    dtypes = [keras.backend.standardize_dtype(x.dtype) for x in (*parts, *shared)]

    def restored(*arrays):
        pairs = zip(arrays, dtypes, strict=True)
        return function(*(ops.cast(x, dtype) for x, dtype in pairs))

    # TensorFlow's loop wants a gradient of all it is given, so all are floats.
    parts, shared = (
        tuple(x if "float" in str(x.dtype) else ops.cast(x, "float32") for x in arrays)
        for arrays in (parts, shared)
    )
    count = chunks if isinstance(batch, int) else ops.shape(parts[0])[0]
    pieces = tuple(ops.reshape(x, (count, -1, *x.shape[1:])) for x in parts)
    again = keras.remat(restored)
    rows = ops.map(lambda piece: again(*piece, *shared), pieces)
    return ops.reshape(rows, (-1, *rows.shape[2:]))
