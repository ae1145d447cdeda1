"""How the tests run programs on other backends."""

import pytest
from backend_runs import start


def test_programs_have_the_environment_they_are_given(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import os, keras\n"
        "print(os.environ.get('COLOUR'), keras.backend.backend(), flush=True)\n"
    )
    # Those of one environment come from one process, and others from another one.
    for colour in ("red", "red", "blue"):
        assert start("torch", program, COLOUR=colour).finish() == f"{colour} torch\n"
    assert start("torch", program).finish() == "None torch\n"


def test_what_a_program_says_where_it_fails_is_told(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("raise SystemExit('no such thing')")
    with pytest.raises(AssertionError, match="no such thing"):
        start("torch", program).finish()
