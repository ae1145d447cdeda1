import torch


def batch_norm(x, gamma, beta, epsilon):
    """Batch normalization as the package says; its gradient keeps only the input."""
    count = x.numel() // x.shape[-1]
    if x.device.type not in ("cpu", "cuda") or count < 2:
        return None
    mean, variance = torch.zeros_like(gamma), torch.zeros_like(gamma)
    # With a momentum of 1 the moving statistics become those of the batch.
    y, *_ = torch.native_batch_norm(
        x.movedim(-1, 1), gamma, beta, mean, variance, True, 1.0, epsilon
    )
    # The kernel's variance is that of a sample, with one less as the divisor.
    return y.movedim(1, -1), mean, variance * (count - 1) / count


def takes_whole_kernels(x):
    """On a CPU in float32."""
    return x.device.type == "cpu" and x.dtype == torch.float32
