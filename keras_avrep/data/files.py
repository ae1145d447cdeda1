"""Files that are there whole or not at all, whatever interrupts the writing."""

import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when all went well.

    Args:
        path: the file to be written; its folder is made if it is not there.

    Returns:
        Context manager of the temporary path, with the same suffix.

    Example:
    ```python
    with replacing("features.npz") as temporary:
        np.savez(temporary, features=features)
    ```
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f"{os.getpid()}-{threading.get_ident()}"
    # Not the name itself, which may be as long as names can be.
    name = zlib.crc32(os.fsencode(path.name))
    temporary = path.with_name(f".{writer}-{name:08x}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text)
