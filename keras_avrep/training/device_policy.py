"""Which device, precision and compilation suit this machine, and why."""

from dataclasses import dataclass
from pathlib import Path

import keras

# The backends whose steps XLA compiles.
COMPILING = ("jax", "tensorflow")
# Compiling a step on a CPU takes about as long as it saves in so many.
STEPS_THAT_PAY = 100


@dataclass(frozen=True)
class DevicePolicy:
    """What `choose_device_policy` decided.

    Args:
        device: string, for example `"cpu"` or `"gpu"`.
        jit_compile: bool. Whether the step is compiled with XLA.
        precision: string. Name of a Keras dtype policy.
        reason: string. One sentence.
    """

    device: str
    jit_compile: bool
    precision: str
    reason: str

    def compiles(self, steps):
        """Whether a step that is done so many times is worth compiling with XLA."""
        # JAX does nothing at a bearable speed but what is compiled.
        pays = steps >= STEPS_THAT_PAY or keras.backend.backend() == "jax"
        return self.jit_compile and (pays or self.device != "cpu")

    def __str__(self):
        compiled = "XLA" if self.jit_compile else "no XLA"
        return (
            f"{keras.backend.backend()} on {self.device}: {compiled}, "
            f"{self.precision} ({self.reason})"
        )


def choose_device_policy(
    jit_compile=None, precision=None, *, over_time=True
) -> DevicePolicy:
    """Pick compilation and precision for the device that Keras will use.

    Args:
        jit_compile: bool to overrule the choice. Defaults to `None`.
        precision: string to overrule the choice. Defaults to `None`.
        over_time: bool. Whether what is trained convolves over time, as backbones of
            videos do. Defaults to `True`.

    Returns:
        `DevicePolicy`.

    Example:
    ```python
    policy = keras_avrep.training.choose_device_policy()
    keras.config.set_dtype_policy(policy.precision)
    print(policy)
    ```

    Reference: design of the library, section 3; measured in `benchmarks/`.
    """
    device, bfloat16 = _device()
    if device == "cpu":
        # A 3-D convolution under XLA on a CPU is several times slower; with 2-D ones
        # alone a step takes half the time, once XLA has compiled it.
        jit = keras.backend.backend() in (("jax",) if over_time else COMPILING)
        reason = "XLA slows 3-D convolutions on a CPU"
        if not over_time:
            reason = "no 3-D convolutions, which XLA slows on a CPU"
    else:
        jit = keras.backend.backend() in COMPILING
        reason = "an accelerator"
    chosen = "mixed_bfloat16" if bfloat16 else "float32"
    reason += ", bfloat16 in hardware" if bfloat16 else ", no fast bfloat16"
    if jit_compile is not None or precision is not None:
        reason = "as asked for"
    return DevicePolicy(
        device,
        jit if jit_compile is None else jit_compile,
        precision or chosen,
        reason,
    )


def make_deterministic() -> None:
    """Make every operation give the same bits on every run, a little slower."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    elif backend == "torch":
        import torch

        torch.use_deterministic_algorithms(True)


def _device() -> tuple[str, bool]:
    """Kind of device, and whether bfloat16 is fast on it."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if tf.config.list_physical_devices("TPU"):
            return "tpu", True
        if gpus:
            details = tf.config.experimental.get_device_details(gpus[0])
            return "gpu", details.get("compute_capability", (0, 0))[0] >= 8
    elif backend == "jax":
        import jax

        kind = jax.default_backend()
        if kind != "cpu":
            return kind, True
    else:
        import torch

        if torch.cuda.is_available():
            return "gpu", torch.cuda.get_device_capability()[0] >= 8
        if torch.backends.mps.is_available():
            return "mps", False
    return "cpu", cpu_has_bfloat16()


def cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 itself (AVX512-BF16 or AMX)."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return False
    flags = info.read_text()
    return "avx512_bf16" in flags or "amx_bf16" in flags
