"""Folders and annotation files of datasets, with errors that say what is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path


def folder_of(argument: str, path: str | os.PathLike) -> Path:
    """The absolute path of a folder.

    Args:
        argument: name of the argument, for the error.
        path: the folder.

    Returns:
        The resolved path.

    Raises:
        ValueError: if it is no folder.

    Example:
    ```python
    root = folder_of("videos", "~/UCF-101")
    ```
    """
    folder = Path(path).expanduser().resolve()
    if not folder.is_dir():
        raise ValueError(
            f"`{argument}` {folder} is not a folder; give the dataset's folder."
        )
    return folder


def text_of(path: Path) -> str:
    """The text of an annotation file.

    Args:
        path: the file.

    Returns:
        Its text; bytes that are no UTF-8 are replaced.

    Raises:
        ValueError: if there is no such file, or nothing in it.

    Example:
    ```python
    text = text_of(Path("ucfTrainTestlist/trainlist01.txt"))
    ```
    """
    if not path.is_file():
        raise ValueError(
            f"The annotation file {path} is missing; take it from the dataset's "
            "official download."
        )
    # Spreadsheets put a byte order mark before the first column's name.
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if not text.strip():
        raise ValueError(f"The annotation file {path} is empty; download it again.")
    return text


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of an annotation file that are not blank.

    Args:
        path: the file.

    Yields:
        Pairs: `"FILE:NUMBER"` for messages, and the stripped line.

    Raises:
        ValueError: as of `text_of`.

    Example:
    ```python
    for place, line in lines_of(Path("trainlist01.txt")): ...
    ```
    """
    for number, line in enumerate(text_of(path).splitlines(), 1):
        if line.strip():
            yield f"{path.name}:{number}", line.strip()
