"""Annotation files for the readers' tests, and what the readers made of them."""


def write(path, text):
    """A text file, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def summary(manifest):
    """Class and split by video."""
    return {r.video_id: (r.labels.get("class"), r.split) for r in manifest.records}


def reasons(manifest):
    """Why something was left out, by path."""
    return {r["path"]: r["reason"] for r in manifest.rejects}
