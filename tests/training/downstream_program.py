"""What learns on top of a backbone, on one backend. Arguments: FOLDER NAMES.

Writes `NAME.npz` for each: losses of two steps, weights and outputs after them.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tiny_const_cl
import tiny_dclr
from as_on_a_gpu import refuse_arrays_of_tensors
from drawn_weights import differing, draw_weights, numbered

from keras_avrep.losses import masked_binary_crossentropy, response_loss
from keras_avrep.models import MSTCN, ActionLocaliser, SiameseTracker, VideoClassifier

STEPS = 2


def classifier(rng):
    model = VideoClassifier(tiny_dclr.build().backbone, 3)
    clips = rng.uniform(0, 255, (4, 2, 16, 16, 3)).astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return model, clips, np.array([0, 2, 1, 2]), loss


def localiser(rng):
    sizes = {"num_layers": 1, "num_heads": 2, "head_dim": 8, "dropout": 0.0}
    backbone = tiny_const_cl.build().region_backbone()
    # Of those that are trained, the gradient is seen with the classifier.
    model = ActionLocaliser(backbone, 3, train_backbone=False, **sizes)
    corner = rng.uniform(0, 0.5, (4, 2, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.2, 0.5, corner.shape)], -1)
    video = rng.uniform(0, 255, (4, 4, 32, 32, 3)).astype("float32")
    labels = rng.integers(0, 2, (4, 2, 3)).astype("float32")
    # A slot that no box fills.
    labels[0, 1] = -1
    inputs = {"video": video, "boxes": boxes.astype("float32")}
    return model, inputs, labels, masked_binary_crossentropy


def tracker(rng):
    sizes = {"num_frames": 2, "exemplar_size": 24, "search_size": 56}
    backbone = tiny_const_cl.build().region_backbone()
    # Larger than by default: gradients of a small step would be lost in rounding.
    model = SiameseTracker.for_backbone(backbone, out_scale=0.02, **sizes)
    images = {
        name: rng.uniform(0, 255, (4, side, side, 3)).astype("float32")
        for name, side in (("exemplar", 24), ("search", 56))
    }
    shifts = np.array([[0, 0], [8, 0], [0, -8], [4, 4]], "float32")
    return model, images, shifts, response_loss


def segmenter(rng):
    model = MSTCN(3, 5, num_stages=2, num_layers=3, num_filters=6, dropout=0.0)
    mask = np.ones((4, 12), "float32")
    mask[1, 8:] = 0
    inputs = {"features": rng.normal(size=(4, 12, 5)).astype("float32"), "mask": mask}
    labels = rng.integers(0, 3, (4, 12))
    labels[1, 8:] = -1
    return model, inputs, labels, None


BUILDERS = {f.__name__: f for f in (classifier, localiser, tracker, segmenter)}


def main(folder, name):
    rng = np.random.default_rng(0)
    model, inputs, labels, loss = BUILDERS[name](rng)
    model.set_weights(draw_weights(rng, model))
    optimizer = keras.optimizers.SGD(0.01)
    backend = keras.backend.backend()
    # Tracing takes longer than a small step.
    eager = backend == "tensorflow"
    model.compile(optimizer, loss, jit_compile=backend == "jax", run_eagerly=eager)
    start = numbered(model.trainable_variables)
    losses = [model.train_on_batch(inputs, labels) for _ in range(STEPS)]
    trained = numbered(model.trainable_variables)
    model.save_to_preset(str(folder / name))
    again = numbered(type(model).from_preset(str(folder / name)).weights)
    arrays = {
        "losses": np.array(losses, "float32"),
        "outputs": model.predict_on_batch(inputs),
        "unmoved": np.array(len(unmoved(start, trained))),
        "lost": np.array(len(differing(numbered(model.weights), again))),
    }
    arrays |= {f"trained_{path}": array for path, array in trained.items()}
    np.savez(folder / f"{name}.npz", **arrays)


def unmoved(start, trained):
    """Names of what has not learned; attention does not feel a bias of its keys."""
    still = {*start} - {*differing(start, trained)}
    return [name for name in still if not name.endswith("key/bias")]


if __name__ == "__main__":
    refuse_arrays_of_tensors()
    for name in sys.argv[2:]:
        main(Path(sys.argv[1]), name)
