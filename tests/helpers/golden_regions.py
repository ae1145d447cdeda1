"""The regions of ConST-CL's released test, whose losses the note gives."""

import numpy as np

PAD = [-1, -1, -1, -1]
FIRST = np.array(
    [
        [[1, 2, 3, 4], [5, 6, 7, 8], PAD, PAD],
        [PAD, PAD, [4, 3, 2, 1], [8, 7, 6, 5]],
        [[1, 2, 3, 4], [5, 6, 7, 8], [4, 3, 2, 1], [8, 7, 6, 5]],
    ],
    "float32",
)
SECOND = np.array(
    [
        [[1.5, 2.5, 3.5, 4.5], [5.5, 6.5, 7.5, 8.5], PAD, PAD],
        [PAD, PAD, [5.5, 6.5, 7.5, 8.5], [8.5, 7.5, 6.5, 5.5]],
        [
            [1.5, 2.5, 3.5, 4.5],
            [4.5, 3.5, 2.5, 1.5],
            [5.5, 6.5, 7.5, 8.5],
            [8.5, 7.5, 6.5, 5.5],
        ],
    ],
    "float32",
)
MASK = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], bool)
