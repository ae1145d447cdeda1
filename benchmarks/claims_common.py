"""What the claims of every system share: plans, clips, tables in documents."""

import numpy as np
from keras import ops


def spread(values):
    """Mean and standard deviation of shares, as percent."""
    values = 100 * np.array(values)
    return f"{values.mean():.1f} ± {values.std():.1f}"


def between_markers(path, name, table):
    """Replace what stands between two markers of a document."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, rest = path.read_text().split(begin)
    path.write_text(f"{head}{begin}\n{table}\n{end}{rest.split(end)[1]}")


def labels_of(plans, name):
    return [p["labels"][name] for p in plans]


def middle(clips, size=48):
    """Clips as the representation takes them: 64 pixels to 48."""
    x = ops.image.resize(
        ops.reshape(ops.cast(clips, "float32"), (-1, *clips.shape[2:])),
        (size, size),
        antialias=True,
    )
    return ops.convert_to_numpy(x).reshape(*clips.shape[:2], size, size, 3)


def plans_of(world, split, count=256):
    return [world.plan(split, i) for i in range(count)]
