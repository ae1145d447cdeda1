"""What works only where tensors lie in the memory of the CPU, found on a CPU."""

import sys

import keras


def refuse_arrays_of_tensors():
    """Let torch's tensors turn into arrays only where Keras is asked for it.

    So it is on a GPU. An array times a tensor, say, is no error on a CPU otherwise.
    """
    if keras.backend.backend() != "torch":
        return
    import torch

    convert = torch.Tensor.__array__

    def array(self, dtype=None, copy=None):
        asked_by = sys._getframe(1).f_code.co_filename
        if not asked_by.replace("\\", "/").endswith("keras/src/backend/torch/core.py"):
            raise TypeError("A tensor on a GPU would not turn into an array here.")
        found = convert(self, dtype)
        return found.copy() if copy else found

    torch.Tensor.__array__ = array
