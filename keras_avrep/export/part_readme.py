"""What the files of an exported part take and give, for whoever gets them."""

from pathlib import Path

from keras_avrep.export.serving_readme import write_serving_readme

HEAD = """\
# {name}

All numbers are float32; the signature is `serving_default`.

| file | takes | gives |
|---|---|---|
"""
FILL = """
`{input}` has places for {count} in the LiteRT file: fill those that are left with
zeros, and leave out the same rows of what comes back.
"""


def write_part_readme(folder: Path, name: str, rows: list[dict]) -> Path:
    """Write `NAME.md` beside the files of a part, and into a serving folder's README.

    Args:
        folder: path of the files.
        name: string. Of the part.
        rows: what `export_part` returns.

    Returns:
        Path of the file.

    Example:
    ```python
    rows = export_part(model, "exported", inputs, name="teg_steps")
    write_part_readme(Path("exported"), "teg_steps", rows)
    ```
    """
    text = HEAD.format(name=name)
    for row in rows:
        batch = "batch" if row["format"] == "saved_model" else "1"
        cells = (_shapes(row[key], batch) for key in ("inputs", "outputs"))
        text += f"| `{row['path']}` | {' | '.join(cells)} |\n"
    text += "".join(_fills(rows))
    path = folder / f"{name}.md"
    path.write_text(text)
    write_serving_readme(Path(folder))
    return path


def _shapes(shapes, batch):
    sizes = {
        name: ", ".join([batch, *("any" if n is None else str(n) for n in shape)])
        for name, shape in shapes.items()
    }
    return ", ".join(f"`{name}` ({size})" for name, size in sizes.items())


def _fills(rows):
    """A remark for each input that only the LiteRT file has a fixed number of."""
    by_format = {row["format"]: row["inputs"] for row in rows}
    for name, shape in by_format.get("saved_model", {}).items():
        fixed = by_format.get("litert", {}).get(name, shape)
        for length, count in zip(shape, fixed, strict=True):
            if length is None and count is not None:
                yield FILL.format(input=name, count=count)
