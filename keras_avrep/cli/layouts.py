"""Public datasets in the layout of their publishers, with the official splits."""

from pathlib import Path

SPLITS = ("train", "test")
# Those with sounds and pictures of each second, not videos.
MOMENT_LAYOUTS = ("music", "audioset_instruments")
LAYOUTS = ("ucf101", "hmdb51", "diving48", "kinetics", "vggsound", *MOMENT_LAYOUTS)


def read_layout(
    layout, videos, lists=None, split=None, version=None, only=None, **options
):
    """Read a dataset by its official lists.

    Args:
        layout: one of `LAYOUTS`.
        videos: folder of the videos, or of their seconds.
        lists: what the publishers say of them: a folder; of Kinetics also a single
            CSV file. Of VGGSound a CSV file, of AudioSet's instruments the pickle
            of clips; of MUSIC the file of labels, which by default is looked for in
            the folder and beside it.
        split: string. 1, 2 or 3 of UCF-101 and HMDB-51, 1 by default; a split's name
            of Kinetics, by default train and val, and of VGGSound, by default what
            the file is called, else those that it lists. Of the others, what the
            split is to be called, train by default.
        version: int. 1 or 2, of Diving-48's annotation. Defaults to 2.
        only: list of lines `ID.flac ID.mp4` of what counts, of VGGSound and MUSIC.
        **options: `cache`, `workers` and `progress`, as of `scan_folder`.

    Returns:
        `keras_avrep.data.Manifest`, or `MomentManifest` of what is cut into seconds,
        with splits and the label `class`.

    Raises:
        ValueError: if an option is for another layout, or a list is not there.
    """
    from keras_avrep import data
    from keras_avrep.data.readers.moment_folders import label_file

    if lists is None and layout != "music":
        raise ValueError(
            f"--layout {layout} needs --lists, the dataset's official lists."
        )
    if version is not None and layout != "diving48":
        raise ValueError(f"--version is for --layout diving48, not {layout}.")
    if only is not None and layout not in ("vggsound", "music"):
        raise ValueError(f"--only is for --layout vggsound and music, not {layout}.")
    if layout == "music":
        labels = lists or label_file(Path(videos).expanduser())
        return data.read_music_solo(videos, labels, only, split or "train")
    if layout == "audioset_instruments":
        return data.read_audioset_instruments(videos, lists, split=split or "train")
    if layout == "vggsound":
        return _read_vggsound(videos, Path(lists), split, only, options)
    if layout == "kinetics":
        return _read_kinetics(videos, Path(lists), split, options)
    if layout == "diving48":
        if split is not None:
            raise ValueError("--split is not for --layout diving48: it has only one.")
        return data.read_diving48(videos, lists, version or 2, **options)
    if split not in (None, "1", "2", "3"):
        raise ValueError(f"--split {split!r} of {layout} must be 1, 2 or 3.")
    read = {"ucf101": data.read_ucf101, "hmdb51": data.read_hmdb51}[layout]
    return read(videos, lists, int(split or 1), **options)


def _read_kinetics(videos, lists, split, options):
    from keras_avrep.data import read_kinetics

    files = _kinetics_files(lists.expanduser(), split)
    manifests = [read_kinetics(videos, f, name, **options) for name, f in files]
    return _joined(manifests)


def _kinetics_files(lists, split):
    """Pairs of a split and the CSV file that lists it."""
    from keras_avrep.data.readers.kinetics import SPELLINGS

    if split is not None and split not in SPELLINGS:
        raise ValueError(f"--split {split!r} of kinetics must be train, val or test.")
    if not lists.is_dir():
        name = split or next((n for n, s in SPELLINGS.items() if lists.stem in s), None)
        if name is None:
            raise ValueError(f"--lists {lists.name} needs --split train, val or test.")
        return [(name, lists)]
    found = []
    for name in [split] if split else ["train", "val"]:
        paths = [lists / f"{spelling}.csv" for spelling in SPELLINGS[name]]
        path = next((p for p in paths if p.is_file()), None)
        if path is None:
            raise ValueError(
                f"--lists {lists} has no {paths[0].name}; give the folder of the "
                "official CSV files, or one file with --split."
            )
        found.append((name, path))
    return found


def _read_vggsound(videos, path, split, only, options):
    from keras_avrep.data import read_vggsound
    from keras_avrep.data.readers.vggsound import listed_splits

    if split not in (None, *SPLITS):
        raise ValueError(f"--split {split!r} of vggsound must be train or test.")
    if split is None and path.stem in SPLITS:
        split = path.stem
    if only is not None:
        return read_vggsound(videos, path, split or "train", only, **options)
    splits = [split] if split else [s for s in SPLITS if s in listed_splits(path)]
    if not splits:
        raise ValueError(f"--lists {path.name} needs --split train or test.")
    return _joined([read_vggsound(videos, path, s, **options) for s in splits])


def _joined(manifests):
    """One manifest of several splits; no video is in two of them."""
    whole, splits = manifests[0], {}
    splits = {r.path: r.split for r in whole.records}
    for manifest in manifests[1:]:
        whole.rejects += manifest.rejects
        for record in manifest.records:
            if record.path in splits:
                reason = f"listed for {splits[record.path]} and again {record.split}"
                whole.rejects.append({"path": record.video_id, "reason": reason})
            else:
                splits[record.path] = record.split
                whole.records.append(record)
    return whole
