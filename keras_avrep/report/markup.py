"""Small pieces of HTML; every text that a user could have written is escaped."""

import html
import re
from collections.abc import Sequence

from keras_avrep.report.run_reader import number

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
MISSING = "–"


def esc(text) -> str:
    """Text made safe for HTML, inside quoted attributes too."""
    # File names that are not UTF-8 arrive as lone surrogates, which no page can hold.
    return html.escape(CONTROL.sub("\ufffd", str(text)), quote=True)


def section(name: str, title: str, sentence: str, body: str) -> str:
    """One section of the page, with its plain sentence under the heading."""
    return (
        f'<section id="{esc(name)}"><h2>{esc(title)}</h2>'
        f'<p class="plain">{esc(sentence)}</p>{body}</section>'
    )


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], text: Sequence[str] = ()
) -> str:
    """A table that scrolls sideways.

    Args:
        head: column titles.
        rows: cells as HTML.
        text: titles of further columns that hold text; the first always does.
    """

    def cell(tag: str, index: int, content: str) -> str:
        is_text = index == 0 or head[index] in text
        kind = "" if is_text else ' class="num"'
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{kind}{scope}>{content}</{tag}>"

    top = "".join(cell("th", i, esc(name)) for i, name in enumerate(head))
    body = "".join(
        "<tr>" + "".join(cell("td", i, c) for i, c in enumerate(row)) + "</tr>"
        for row in rows
    )
    return (
        '<div class="scroll" tabindex="0"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def wide(content: str) -> str:
    """HTML of a cell that holds sentences, which a narrow column would tear."""
    return f'<span class="wide">{content}</span>'


def details(title: str, body: str, is_open: bool = False) -> str:
    """A part of the page that can be folded away."""
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{esc(title)}</summary>{body}</details>"


def percent(value) -> str:
    """A share between 0 and 1 as a percentage."""
    value = number(value)
    return MISSING if value is None else f"{100 * value:.1f}%"


def plain(value, digits: int = 3) -> str:
    """A number with a few significant digits."""
    value = number(value)
    if value is None:
        return MISSING
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    # Zeros at the end stay: 2 is not what 1.9976 rounds to, but 2.00.
    return f"{value:#.{digits}g}".rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"


def duration(seconds) -> str:
    """Seconds the way one would say them."""
    value = number(seconds)
    if value is None or value < 0:
        return MISSING
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes = round(value / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def file_size(size) -> str:
    """Bytes in the largest fitting unit."""
    value = number(size)
    if value is None:
        return MISSING
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.2f} GB"


def counted(count: int, noun: str) -> str:
    """`1 video`, `2 videos`, `3 classes`."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
