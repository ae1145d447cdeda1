"""Labels and splits of a folder's videos: `annotations.jsonl`, or sub-folders."""

import json
from collections import Counter
from pathlib import Path

# Splits to learn from; every other name is of videos that are held out.
TRAINING = ("train", "training", "pretrain")
# What folders of splits are called, in any case.
HELD_OUT = ("test", "testing", "val", "valid", "validation", "dev", "eval")
SPLIT_FOLDERS = {*TRAINING, *HELD_OUT}
# Names that a sentence gives; the others are counted.
SHOWN = 3


def read_annotations(path: Path) -> tuple[dict[str, dict], list[dict[str, str]]]:
    """What `annotations.jsonl` says of each video.

    Args:
        path: of the file.

    Returns:
        dict from the video's name to a dict of `labels` and `split`, empty where its
        line is wrong; and a list of `{"path", "reason"}` of wrong lines.

    Example:
    ```python
    annotations, bad = read_annotations(root / ANNOTATIONS)
    ```
    """
    annotations, bad = {}, []
    for number, line in enumerate(annotation_lines(path), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            reason = _wrong_labels(entry) or _wrong_split(entry)
            annotations[entry["video"]] = {} if reason else _labels_and_split(entry)
        except (ValueError, KeyError, TypeError, AttributeError):
            reason = 'is not a JSON object with a "video"'
        if reason:
            bad.append({"path": f"{path.name}:{number}", "reason": reason})
    return annotations, bad


def annotation_lines(path: Path) -> list[str]:
    """Lines of an `annotations.jsonl`, whose names of files need not be UTF-8."""
    # Some editors put a byte-order mark first, which JSON does not know.
    text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    # Not `splitlines`: names may hold characters that it takes for ends of lines.
    return [line.rstrip("\r") for line in text.split("\n")]


def folder_labels(names: list[str]) -> tuple[list[dict], list[str]]:
    """Labels and splits by the sub-folders that videos lie in.

    Args:
        names: of the videos, relative to the folder, with forward slashes.

    Returns:
        For each video a dict, with `labels` and `split` as far as its folders tell
        them; and a list of sentences, why folders are not taken as labels though
        there are several.

    Example:
    ```python
    folder_labels(["run/a.mp4", "run/b.mp4", "jump/c.mp4"])
    # ([{"labels": {"class": "run"}}, …], [])
    ```
    """
    folders = [name.split("/")[:-1] for name in names]
    said: list[dict] = [{} for _ in names]
    if folders and all(f and f[0].lower() in SPLIT_FOLDERS for f in folders):
        said = [{"split": f[0].lower()} for f in folders]
        folders = [f[1:] for f in folders]
    sizes = Counter(f[0] for f in folders if f)
    if len(sizes) < 2:
        return said, []
    if note := _why_no_classes(names, folders, sizes):
        return said, [note]
    for entry, folder in zip(said, folders, strict=True):
        entry["labels"] = {"class": folder[0]}
    return said, []


def some_names(names: list[str]) -> str:
    """The first names, for a sentence.

    Example:
    ```python
    some_names(["a", "b", "c", "d"])  # "a, b, c, …"
    ```
    """
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _why_no_classes(names, folders, sizes) -> str | None:
    """Why folders are no classes, if they are not."""
    stray = [name for name, f in zip(names, folders, strict=True) if not f]
    if stray:
        lie = "1 video lies" if len(stray) == 1 else f"{len(stray)} videos lie"
        if {name.lower() for name in sizes} <= SPLIT_FOLDERS:
            kind, what = "split", "splits"
        else:
            kind, what = "class", "labels"
        return (
            f"{lie} in no {kind} folder ({some_names(stray)}), so folders are not "
            f"taken as {what}"
        )
    if max(sizes.values()) < 2:
        return (
            f"each of {len(sizes)} folders holds one video only, so folders are not "
            "taken as labels"
        )
    return None


def _wrong_labels(entry: dict) -> str | None:
    """What is wrong with the labels of a line, if anything."""
    labels = entry.get("labels", {})
    if isinstance(labels, dict) and not any(
        value is None or isinstance(value, (dict, list)) for value in labels.values()
    ):
        return None
    return 'its "labels" are not a JSON object from name to label'


def _wrong_split(entry: dict) -> str | None:
    """What is wrong with the split of a line, if anything."""
    split = entry.get("split")
    if split is None or isinstance(split, str):
        return None
    return 'its "split" is not the name of a split, such as "train"'


def _labels_and_split(entry: dict) -> dict:
    labels = {k: str(v) for k, v in entry.get("labels", {}).items()}
    # Tables written by other tools say "nothing" as null or as an empty text.
    found = {"labels": labels, "split": (entry.get("split") or "").strip() or None}
    source = entry.get("source")
    return found | ({} if source in (None, "") else {"source": str(source)})
