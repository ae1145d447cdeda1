"""Progress on a terminal or in a log."""

import sys
import time


class Progress:
    """A counter on one line; in a log, a line every few seconds.

    Args:
        text: string. What is being counted.
        seconds: float. Shortest time between two lines of a log. Defaults to 5.
    """

    def __init__(self, text, seconds=5.0):
        self.text = text
        self.seconds = seconds
        self.began = self.last = time.monotonic()

    def __call__(self, done, total):
        now = time.monotonic()
        live = sys.stdout.isatty()
        if done < total and now - self.last < (0.2 if live else self.seconds):
            return
        self.last = now
        line = f"{self.text} {done}/{total}"
        if done >= total:
            line += f" in {now - self.began:.1f} s"
        end = "\n" if done >= total or not live else "\r"
        print(f"{line:<60}" if live else line, end=end, flush=True)


def say(text):
    """One line, at once, also when the output is a pipe."""
    print(text, flush=True)
