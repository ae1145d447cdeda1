"""Which device, precision and compilation suit this machine, and why."""

from dataclasses import dataclass
from pathlib import Path

import keras

from keras_avrep.kernels.onednn import has_onednn

# The backends whose steps XLA compiles.
COMPILING = ("jax", "tensorflow")
# In so many steps on an older CPU it saves about as much time as it takes to compile.
STEPS_THAT_PAY = 100


@dataclass(frozen=True)
class DevicePolicy:
    """What `choose_device_policy` decided.

    Args:
        device: string, for example `"cpu"` or `"gpu"`.
        jit_compile: bool. Whether the step is compiled with XLA.
        precision: string. Name of a Keras dtype policy.
        reason: string. One sentence.
        least_steps: int. Steps that a run needs for XLA to be worth it. Defaults to 0.
    """

    device: str
    jit_compile: bool
    precision: str
    reason: str
    least_steps: int = 0

    def compiles(self, steps):
        """Whether a step that is done so many times is worth compiling with XLA."""
        return self.jit_compile and steps >= self.least_steps

    @property
    def compilation(self):
        """Whether and when XLA compiles, in words."""
        if not self.jit_compile:
            return "no XLA"
        return f"XLA from {self.least_steps} steps on" if self.least_steps else "XLA"

    def __str__(self):
        return (
            f"{keras.backend.backend()} on {self.device}: {self.compilation}, "
            f"{self.precision} ({self.reason})"
        )


def choose_device_policy(jit_compile=None, precision=None) -> DevicePolicy:
    """Pick compilation and precision for the device that Keras will use.

    Args:
        jit_compile: bool to overrule the choice. Defaults to `None`.
        precision: string to overrule the choice. Defaults to `None`.

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
    chosen = precision or ("mixed_bfloat16" if bfloat16 else "float32")
    reason = "bfloat16 in hardware" if bfloat16 else "no fast bfloat16"
    if device != "cpu":
        reason = f"an accelerator, {reason}"
    if jit_compile is not None or precision is not None:
        reason = "as asked for"
    if jit_compile is not None:
        return DevicePolicy(device, jit_compile, chosen, reason)
    jit = keras.backend.backend() in COMPILING
    # JAX does nothing at a bearable speed but what is compiled.
    if device != "cpu" or keras.backend.backend() == "jax":
        return DevicePolicy(device, jit, chosen, reason)
    # Of bfloat16 XLA knows nothing, and in float32 oneDNN is faster.
    jit = jit and chosen == "float32" and not (bfloat16 or has_onednn())
    return DevicePolicy(device, jit, chosen, reason, STEPS_THAT_PAY)


def make_deterministic() -> None:
    """Make every operation give the same bits on every run, a little slower.

    Call it before anything is computed.

    Example:
    ```python
    keras_avrep.training.make_deterministic()
    keras.utils.set_random_seed(0)
    ```
    """
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
