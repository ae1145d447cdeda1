"""What a file says of itself, and whether that is so."""

import io
from dataclasses import asdict
from fractions import Fraction

import av
import numpy as np
import pytest
from media_files import cut, ramp, with_index_first, write_ramp
from PIL import Image

from keras_avrep.data import MediaError, VideoRecord, probe, read_frames, write_video
from keras_avrep.data.media import stream_frames
from keras_avrep.views import UniformClips

CUTS = [
    ("a.mkv", "libx264", True),
    ("b.webm", "libvpx-vp9", True),
    ("c.avi", "mpeg4", True),
    ("d.mp4", "libx264", True),
    ("e.mkv", "mpeg4", False),
    ("f.flv", "flv1", False),
]


def write_noise(path, codec, sound=False, count=60):
    """Frames of noise with gray borders: of about the same size in the file."""
    frames = ramp(count, step=4)
    rng = np.random.default_rng(0)
    frames[:, 8:-8, 8:-8] = rng.integers(0, 255, (count, 32, 48, 3), np.uint8)
    audio = np.sin(np.arange(count * 16000 // 12) / 9) / 2 if sound else None
    write_video(path, frames, 12, codec=codec, audio=audio, keyframe_interval=6)
    return with_index_first(path) if path.suffix == ".mp4" else path


def decoded_times(path):
    """Times of all frames that can be decoded from the start on."""
    times = []
    with av.open(str(path)) as container:
        try:
            for frame in container.decode(video=0):
                times.append(frame.time)
        except av.FFmpegError:
            pass
    return times


@pytest.mark.parametrize("name,codec,sound", CUTS)
def test_a_truncated_file_is_as_long_as_its_frames(tmp_path, name, codec, sound):
    path = write_noise(tmp_path / name, codec, sound)
    whole = probe(path)
    assert whole.missing_seconds == 0
    assert whole.duration == pytest.approx(5.0, abs=0.1)
    info = probe(cut(path, 0.25))
    times = decoded_times(path)
    assert 1 < len(times) < 25
    assert info.duration == pytest.approx(times[-1] + 1 / 12, abs=0.02)
    assert info.num_frames == round(info.duration * 12)
    assert info.duration + info.missing_seconds == pytest.approx(5.0, abs=0.1)
    # Frames all over the duration are different ones.
    frames = read_frames(path, np.linspace(0, info.duration, 3, endpoint=False), 16)
    borders = frames[:, 1, 1].astype(int).mean(axis=-1)
    assert np.all(np.diff(borders) > 1), borders


@pytest.mark.parametrize("name,codec,sound", CUTS)
def test_a_file_that_lost_its_last_frames_only_is_noticed_too(
    tmp_path, name, codec, sound
):
    path = cut(write_noise(tmp_path / name, codec, sound), 0.75)
    info = probe(path)
    assert info.missing_seconds > 0.5
    assert info.duration == pytest.approx(decoded_times(path)[-1] + 1 / 12, abs=0.02)


def test_a_file_of_which_only_the_first_frame_is_left_is_refused(tmp_path):
    path = write_noise(tmp_path / "a.flv", "flv1")
    with av.open(str(path)) as container:
        second = [p.pos for p in container.demux(video=0) if p.size][1]
    path.write_bytes(path.read_bytes()[:second])
    with pytest.raises(MediaError, match=r"a\.flv: .*only the first frame of 5\.0"):
        probe(path)


def test_longer_sound_is_no_missing_picture(tmp_path):
    path = tmp_path / "a.mkv"
    write_ramp(path, count=12, audio=np.zeros(48000, np.float32))
    info = probe(path)
    assert info.missing_seconds == 0
    # Of the picture, as in every other container.
    assert info.duration == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_renamed_picture_is_no_video(tmp_path, kind, suffix):
    path = tmp_path / f"picture{suffix}"
    Image.fromarray(ramp(1)[0]).save(path, format=kind)
    with pytest.raises(MediaError, match="still picture"):
        probe(path)


def test_an_animation_a_single_frame_and_a_row_of_pictures_are_videos(tmp_path):
    assert probe(write_ramp(tmp_path / "a.gif", codec="gif")).num_frames == 24
    assert probe(write_ramp(tmp_path / "one.gif", codec="gif", count=1)).num_frames == 1
    for name, codec in (("one.mp4", "libx264"), ("one.mkv", "libx264")):
        info = probe(write_ramp(tmp_path / name, codec=codec, count=1))
        assert (info.num_frames, info.missing_seconds) == (1, 0)
    content = io.BytesIO()
    for image in ramp(5, step=40):
        Image.fromarray(image).save(content, format="JPEG")
    (tmp_path / "row.mp4").write_bytes(content.getvalue())
    assert probe(tmp_path / "row.mp4").num_frames == 5


@pytest.mark.parametrize("count", [1, 12, 30])
@pytest.mark.parametrize(
    "name,codec",
    [
        *(("a.mkv", "libx264"), ("b.webm", "libvpx-vp9"), ("c.flv", "flv1")),
        *(("d.wmv", "wmv2"), ("e.mp4", "libx264"), ("f.mkv", "mpeg4")),
    ],
)
def test_sound_does_not_make_a_video_longer(tmp_path, name, codec, count):
    path = tmp_path / name
    sound = np.zeros(160000, np.float32)
    write_ramp(path, fps=25, count=count, codec=codec, audio=sound)
    info = probe(path)
    assert info.missing_seconds == 0
    assert info.duration == pytest.approx(count / 25, abs=0.05)
    assert info.num_frames == pytest.approx(count, abs=1)


def test_a_live_recording_is_as_long_as_its_times_say(tmp_path):
    """Its header has no length, and its frames come as they were made."""
    path, times = tmp_path / "live.mkv", [*range(0, 660, 33), *range(1000, 11000, 1000)]
    options = {"live": "1"}
    with av.open(str(path), "w", format="matroska", options=options) as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = 64, 48
        stream.codec_context.time_base = Fraction(1, 1000)
        for milliseconds, pixels in zip(times, ramp(len(times), step=8), strict=True):
            frame = av.VideoFrame.from_ndarray(pixels)
            frame.pts, frame.time_base = milliseconds, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        assert not container.duration and not container.streams.video[0].duration
    assert probe(path).duration == pytest.approx(10.1, abs=0.2)


def write_like_a_browser(path, count=45, fps=30):
    """A recording whose frames come when they come, and which tells no rate."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.options = {"deadline": "realtime", "cpu-used": "8"}
        for number, image in enumerate(ramp(count, step=5)):
            frame = av.VideoFrame.from_ndarray(image)
            late = 0 if number in (0, count - 1) else int(rng.integers(-6, 7))
            frame.pts = round(1000 * number / fps) + late
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    content = path.read_bytes()
    # Its duration of a frame, made nothing: an element of padding of the same length.
    place = content.index(b"\x23\xe3\x83\x84")
    padding = b"\xec\x86" + bytes(6)
    path.write_bytes(content[:place] + padding + content[place + len(padding) :])
    return path


def test_the_rate_of_a_browsers_recording_is_that_of_its_frames(tmp_path):
    path = write_like_a_browser(tmp_path / "a.webm")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        # What FFmpeg has to say of it is the clock of the file.
        assert (stream.average_rate or stream.guessed_rate) == 1000
    info = probe(path)
    assert info.fps == pytest.approx(30, rel=0.01)
    assert info.num_frames == pytest.approx(45, abs=1)
    assert len(list(stream_frames(path, 16))) == pytest.approx(45, abs=1)
    times = UniformClips(3, 8, 2)(VideoRecord(str(path), "a.webm", **asdict(info)))
    clip = read_frames(path, times["video"][0], 16)
    assert len(np.unique(clip.mean(axis=(1, 2, 3)))) == 8


@pytest.mark.parametrize("fps", [240, 1000])
def test_slow_motion_keeps_its_rate(tmp_path, fps):
    path = write_ramp(tmp_path / "a.mp4", fps=fps)
    assert probe(path).fps == fps
