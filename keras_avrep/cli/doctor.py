"""Say what this machine has, what was chosen for it, and what would be faster.

keras-avrep doctor
KERAS_BACKEND=torch keras-avrep doctor
"""

import os
import shutil


def add_arguments(parser):
    pass


def run(args):
    import keras

    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import versions
    from keras_avrep.training import choose_device_policy

    policy = choose_device_policy()
    say(f"backend    {keras.backend.backend()}")
    say(f"device     {policy.device}")
    say(f"compiled   {policy.compilation}")
    say(f"precision  {policy.precision}")
    say(f"because    {policy.reason}")
    say(f"CPU cores  {usable_cores()}")
    for name, number in versions().items():
        say(f"  {name} {number}")
    for line in advice(policy):
        say(f"- {line}")


def usable_cores():
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_nvidia_driver():
    """Whether the machine has a driver of NVIDIA, used or not."""
    return os.path.exists("/proc/driver/nvidia") or bool(shutil.which("nvidia-smi"))


def gpu_advice(backend):
    """What to do about a GPU that is not there, or not used."""
    if not has_nvidia_driver():
        return "A GPU would be many times faster; no driver for one was found."
    if backend == "tensorflow":
        extra = 'pip install "keras-avrep[cuda]"'
    else:
        extra = f"install {backend} with CUDA, as its own pages say"
    return (
        f"There is a driver of an NVIDIA GPU, but {backend} does not see it: {extra}."
    )


def advice(policy):
    """What would be faster here, most important first."""
    import keras

    lines = []
    if policy.device == "cpu":
        lines.append(gpu_advice(keras.backend.backend()))
        if policy.precision == "float32":
            lines.append(
                "No bfloat16 arithmetic was found on this CPU; one with AVX512-BF16 "
                "or AMX would train faster in mixed_bfloat16."
            )
        if keras.backend.backend() == "jax":
            lines.append("On a CPU KERAS_BACKEND=tensorflow trains faster than JAX.")
    lines.append(
        "Long or large videos: `keras-avrep prepare` makes small copies that are "
        "faster to read again and again."
    )
    return lines
