"""The sections about files: exports, left-out videos, versions."""

from collections import Counter

from keras_avrep.report.markup import (
    MISSING,
    counted,
    details,
    duration,
    esc,
    file_size,
    percent,
    plain,
    section,
    table,
    wide,
)
from keras_avrep.report.result_sections import fact_list
from keras_avrep.report.run_reader import Run, as_dict, number

LISTED_REJECTS = 200
EXPORT_FOLDER = "export"
# What is said of files that are not equal to the model, and its title.
AGREEMENTS = {
    "retrieval_agreement": "same nearest clip",
    "class_agreement": "same class",
}


def exports_section(run: Run) -> str:
    """The files to take away, and how true they stayed to the model."""
    found = run.summary.get("export")
    exports = (
        [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []
    )
    if not exports:
        return ""
    agreed = {
        name: title
        for name, title in AGREEMENTS.items()
        if any(number(e.get(name)) is not None for e in exports)
    }
    notes = any(e.get("note") for e in exports)
    head = ["format", "file", "size", "time per clip", "largest difference"]
    head += agreed.values()
    head += ["note"] if notes else []
    rows = [_export_row(run, export, agreed, notes) for export in exports]
    return section(
        "exports",
        "Exports",
        "The trained model as files for other programs; the difference is between "
        "their features and those of the original model for the same clips.",
        table(head, rows, text=["file", "note"]),
    )


def _export_row(run: Run, export: dict, agreed: dict, notes: bool) -> list[str]:
    path = export.get("path")
    name = _path_in_run(run, path) if path else MISSING
    latency = number(export.get("latency_ms"))
    row = [
        esc(export.get("format") or MISSING),
        esc(name),
        file_size(export.get("bytes")),
        MISSING if latency is None else f"{plain(latency)} ms",
        _difference(export.get("max_abs_diff")),
    ]
    row += [percent(export.get(name)) for name in agreed]
    if notes:
        note = esc(run.show_text(export.get("note") or ""))
        row.append(wide(note) if note else "")
    return row


def _path_in_run(run: Run, path) -> str:
    """Where a file is in the run; exports elsewhere are named within their folder."""
    shown = run.show_path(path)
    inside = run.folder is not None and (run.folder / EXPORT_FOLDER / shown).exists()
    return f"{EXPORT_FOLDER}/{shown}" if inside else shown


def _difference(value) -> str:
    value = number(value)
    if value is None:
        return MISSING
    return "none" if value == 0 else f"{value:.1e}"


def rejects_section(run: Run) -> str:
    """Files that could not be used, and why."""
    if not run.rejects:
        return ""
    reasons = Counter(_reason(run, reject) for reject in run.rejects)
    grouped = table(
        ["reason", "files"],
        [[esc(reason), f"{n:,}"] for reason, n in reasons.most_common(20)],
    )
    rows = [
        [esc(run.show_path(reject.get("path", MISSING))), esc(_reason(run, reject))]
        for reject in run.rejects[:LISTED_REJECTS]
    ]
    files = table(["file", "reason"], rows, text=["reason"])
    more = len(run.rejects) - len(rows)
    if more > 0:
        files += f'<p class="note">{more:,} more are listed in rejects.jsonl.</p>'
    title = f"Show {counted(len(run.rejects), 'file')}"
    few = len(run.rejects) <= 8
    return section(
        "rejects",
        "Left out",
        "Files that were in the folder but could not be used; none of them entered "
        "the training or the numbers above.",
        files if few else grouped + details(title, files),
    )


def _reason(run: Run, reject: dict) -> str:
    return run.show_text(reject.get("reason") or "no reason given")


def provenance_section(run: Run) -> str:
    """What is needed to do the same again."""
    summary = run.summary
    facts = {}
    if summary.get("seed") is not None:
        facts["seed"] = str(summary["seed"])
    if number(summary.get("seconds")) is not None:
        facts["whole run"] = duration(summary["seconds"])
    versions = as_dict(summary.get("versions"))
    facts.update({str(name): run.show_text(v) for name, v in versions.items()})
    unread = ""
    if run.unreadable:
        names = ", ".join(esc(name) for name in run.unreadable)
        unread = f'<p class="note">Could not be read and is not shown: {names}.</p>'
    if not facts and not unread:
        return ""
    return section(
        "provenance",
        "How to repeat it",
        "The random seed and the program versions of this run.",
        (fact_list(facts) if facts else "") + unread,
    )
