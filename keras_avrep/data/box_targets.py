"""From the annotation of a key frame to the boxes and labels a localiser takes."""

import numpy as np

PADDING = -1


def box_targets(frame, classes, frame_size=None, num_slots=32):
    """Slots of boxes with a yes or no for each class, of one key frame.

    Boxes with the same coordinates, one for each action of a person, become one.

    Args:
        frame: dict of `boxes` `(N, 4)`, relative `y1, x1, y2, x2`, and `labels`
            `(N,)`, as of `read_ava`. Labels that are no class are left out.
        classes: K labels in the order of the logits, such as the numbers of
            `read_ava_actions`.
        frame_size: width and height of the video, where clips are the centre square
            that the loader decodes: boxes are then relative to that square, and
            those outside it left out. Defaults to `None`, whole frames.
        num_slots: int. Boxes beyond that are left out. Defaults to 32.

    Returns:
        Dict of `boxes` float32 `(num_slots, 4)`, zeros in slots that are left, and
        `labels` float32 `(num_slots, K)`, 1 and 0, -1 in slots that are left: what
        `ActionLocaliser` and `masked_binary_crossentropy` take.

    Example:
    ```python
    frame = manifest.annotation(record)[902]
    targets = box_targets(frame, list(range(1, 81)), (record.width, record.height))
    localiser.fit(
        {"video": clip[None], "boxes": targets["boxes"][None]}, targets["labels"][None]
    )
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """
    columns = {label: column for column, label in enumerate(classes)}
    people = {}
    for box, label in zip(np.asarray(frame["boxes"]), frame["labels"], strict=True):
        if label in columns:
            people.setdefault(tuple(box.tolist()), []).append(columns[label])
    boxes = np.zeros((num_slots, 4), "float32")
    labels = np.full((num_slots, len(columns)), PADDING, "float32")
    slot = 0
    for box, found in people.items():
        seen = np.clip(in_centre_square(np.array(box), frame_size), 0.0, 1.0)
        if slot == num_slots or np.any(seen[:2] >= seen[2:]):
            continue
        boxes[slot], labels[slot] = seen, 0.0
        labels[slot, found] = 1.0
        slot += 1
    return {"boxes": boxes, "labels": labels}


def in_centre_square(boxes, frame_size=None):
    """Boxes of a frame relative to its centre square.

    Args:
        boxes: array `(..., 4)`, relative `y1, x1, y2, x2`.
        frame_size: width and height, in any unit. Defaults to `None`, a square.

    Returns:
        float array of the same shape, beyond 0 and 1 outside the square.

    Example:
    ```python
    in_centre_square(np.array([0, 0.25, 1, 0.75]), (200, 100))  # [0, 0, 1, 1]
    ```
    """
    width, height = frame_size or (1, 1)
    sides = np.array([height, width, height, width], "float64") / min(width, height)
    return 0.5 + (np.asarray(boxes, "float64") - 0.5) * sides
