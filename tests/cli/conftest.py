"""Commands with a few steps, whose tracing would take longer than they do."""

import contextlib

import pytest
from untraced import untraced


@pytest.fixture(autouse=True)
def as_it_is(request):
    """Untraced, but for tests marked `traced`, as every system's step is traced by its
    own tests, and fixtures of a module, which are there before."""
    traced = "traced" in request.keywords
    with contextlib.nullcontext() if traced else untraced():
        yield
