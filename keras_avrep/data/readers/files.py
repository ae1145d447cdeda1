"""Folders and annotation files of datasets, with errors that say what is wrong."""

import json
import os
from collections.abc import Iterator, Sequence
from csv import DictReader
from io import StringIO
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


def json_of(path: Path, kind: type) -> list | dict:
    """The content of a JSON annotation file.

    Args:
        path: the file.
        kind: `list` or `dict`, what it has to hold.

    Returns:
        Its content, not empty.

    Raises:
        ValueError: as of `text_of`, or if it is no JSON, of another kind or empty.

    Example:
    ```python
    entries = json_of(Path("Diving48_V2_train.json"), list)
    ```
    """
    try:
        content = json.loads(text_of(path))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"The annotation file {path} is no JSON ({error}); download it again."
        ) from None
    if not isinstance(content, kind) or not content:
        called = {list: "list", dict: "object"}[kind]
        raise ValueError(
            f"The annotation file {path} is no {called} with entries; download it "
            "again."
        )
    return content


def csv_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict]]:
    """The rows of an annotation file with a header.

    Args:
        path: the CSV file.
        columns: names that the header has to have.

    Yields:
        Pairs: `"FILE:NUMBER"` for messages, and the row by column; a cell that a
        short row lacks is `None`.

    Raises:
        ValueError: as of `text_of`, or if the header lacks a column.

    Example:
    ```python
    for place, row in csv_rows(Path("train.csv"), ["youtube_id"]): ...
    ```
    """
    reader = DictReader(StringIO(text_of(path), newline=""))
    lacking = [c for c in columns if c not in (reader.fieldnames or ())]
    if lacking:
        raise ValueError(
            f"The annotation file {path} lacks the column {lacking[0]}; give the "
            "dataset's official CSV file with its header."
        )
    for row in reader:
        yield f"{path.name}:{reader.line_num}", row
