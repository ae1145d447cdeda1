"""Puts the sections of a run together into one HTML file."""

import os
import re
from pathlib import Path

from keras_avrep.report import (
    class_section,
    file_sections,
    picture_sections,
    result_sections,
    sounding_section,
    unit_section,
)
from keras_avrep.report.markup import counted, duration, esc
from keras_avrep.report.run_reader import Run, number, read_run
from keras_avrep.report.style import CSS

SECTIONS = (
    result_sections.results_section,
    sounding_section.sounding_section,
    picture_sections.gallery_section,
    picture_sections.maps_section,
    unit_section.units_section,
    picture_sections.plane_section,
    class_section.classes_section,
    result_sections.data_section,
    result_sections.training_section,
    file_sections.exports_section,
    file_sections.rejects_section,
    file_sections.provenance_section,
)
HEADING = re.compile(r'<section id="([^"]*)"><h2>(.*?)</h2>')


def write_report(
    run_dir: str | os.PathLike, out: str | os.PathLike | None = None
) -> Path:
    """Writes one HTML file about a run, pictures included.

    The page loads nothing from elsewhere and needs no script. A part whose
    data are missing is left out.

    Args:
        run_dir: folder with `summary.json` and one folder for each model.
        out: where to write. Defaults to `report.html` in `run_dir`.

    Returns:
        The path of the file.

    Example:
    ```python
    keras_avrep.report.write_report("runs/first")
    ```
    """
    run = read_run(run_dir)
    path = Path(out) if out is not None else Path(run_dir) / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_page(run), encoding="utf-8")
    return path


def _page(run: Run) -> str:
    body = "".join(build(run) for build in SECTIONS)
    if not body:
        body = "<section><p>This run has not written any results yet.</p></section>"
    links = "".join(
        f'<a href="#{name}">{title}</a>' for name, title in HEADING.findall(body)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{esc(run.name)} – run report</title><style>{CSS}</style></head><body>"
        f'<header><h1>{esc(run.name)}</h1><p class="lead">{esc(_lead(run))}</p>'
        f'<nav aria-label="Sections">{links}</nav></header><main>{body}</main>'
        "<footer>Written by keras_avrep. This file is complete in itself and can be "
        "sent or archived as it is.</footer></body></html>"
    )


def _counts(data: dict) -> list[str]:
    """How many videos there are, and what for."""
    kinds = {"trained_on": "to train on", "gallery": "gallery", "test": "test"}
    counts = {key: number(data.get(key)) for key in ("videos", *kinds)}
    if counts["videos"] is None:
        return []
    known = {key: count for key, count in counts.items() if key in kinds and count}
    if sum(known.values()) > counts["videos"]:
        # The gallery is what was trained on: counted once.
        known.pop("gallery", None)
    shown = [f"{int(count):,} {kinds[key]}" for key, count in known.items()]
    more = f": {', '.join(shown)}" if shown else ""
    return [counted(int(counts["videos"]), "video") + more]


def _lead(run: Run) -> str:
    parts = []
    parts += _counts(run.data)
    if number(run.data.get("seconds")) is not None:
        parts.append(f"{duration(run.data['seconds'])} of film")
    if run.models:
        parts.append(" against ".join(model.title for model in run.models))
    return " · ".join(parts) or "Run report"
