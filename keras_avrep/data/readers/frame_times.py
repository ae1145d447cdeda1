"""When a frame was shown, from its number and the second it was sorted into."""

import math
from collections.abc import Iterable

COMMON_RATES = (
    *(30.0, 30000 / 1001, 25.0, 24.0, 24000 / 1001, 60.0, 60000 / 1001, 50.0),
    *(15.0, 12.0, 12.5, 10.0, 20.0, 6.0, 5.0, 4.0, 2.0, 1.0),
)


def frame_rate(placed: Iterable[tuple[int, int]]) -> float:
    """The frame rate that puts numbered frames into their seconds.

    Frame n is shown in the second floor(n / rate). Of the rates for which that
    holds, the first common one is taken.

    Args:
        placed: pairs of second and frame number, of one video.

    Returns:
        Frames per second; 30 if nothing tells.

    Example:
    ```python
    frame_rate([(4, 100), (5, 149), (9, 230)])  # 25.0
    ```
    """
    low, high, guesses = 0.0, math.inf, []
    for second, number in placed:
        low = max(low, number / (second + 1))
        if second > 0:
            high = min(high, number / second)
            guesses.append(number / (second + 0.5))
    for rate in COMMON_RATES:
        if low < rate <= high:
            return rate
    if low < high < math.inf:
        return (low + high) / 2
    # No rate fits all: that in the middle is off by least.
    return sorted(guesses)[len(guesses) // 2] if guesses else COMMON_RATES[0]


def frame_time(second: int, number: int, rate: float) -> float:
    """Seconds at which a frame was shown, always within its second.

    Args:
        second: int.
        number: int. Of the frame.
        rate: frames per second.

    Returns:
        Seconds from the start of the video.

    Example:
    ```python
    frame_time(13, 411, 30.0)  # 13.7
    ```
    """
    return min(max(number / rate, float(second)), second + 0.999)
