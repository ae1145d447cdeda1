"""What the claims of every system share: tables in documents, figures in text."""

import numpy as np


def spread(values):
    """Mean and standard deviation of shares, as percent."""
    values = 100 * np.array(values)
    return f"{values.mean():.1f} ± {values.std():.1f}"


def between_markers(path, name, table):
    """Replace what stands between two markers of a document."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, rest = path.read_text().split(begin)
    path.write_text(f"{head}{begin}\n{table}\n{end}{rest.split(end)[1]}")
