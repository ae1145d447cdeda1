import shutil

import pytest
from media_files import write_ramp


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """One tiny video of each kind, to be copied."""
    folder = tmp_path_factory.mktemp("clips")
    write_ramp(folder / "a.avi", count=4, codec="mpeg4")
    write_ramp(folder / "a.mp4", count=4)
    write_ramp(folder / "a.mkv", count=4)
    return folder


@pytest.fixture
def put(tmp_path, clips):
    """Puts real videos below `videos`."""

    def copy(*names):
        for name in names:
            path = tmp_path / "videos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(clips / f"a{path.suffix}", path)

    return copy
