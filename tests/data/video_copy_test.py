from fractions import Fraction

import av
import numpy as np
import pytest
from media_files import write_ramp
from sound_files import click_time, clicks, flash_time, flashes, write_frames_at
from sound_files import write_flash_and_click as write_pair

from keras_avrep.data import (
    MediaError,
    probe,
    read_frames,
    read_waveform,
    stream_timed_frames,
    write_video,
    write_video_copy,
)

# From, to, channels, rate, seconds the sound is late, whether packets are copied.
COPIES = [
    ("a.mp4", "mp4", 2, 44100, 0.0, True),
    ("b.mp4", "mp4", 1, 22050, 0.5, True),
    ("c.mp4", "mkv", 2, 44100, 0.3, True),
    ("d.mp4", "mov", 1, 16000, 0.0, True),
    ("e.mkv", "mp4", 2, 48000, 0.4, True),
    ("f.ts", "mp4", 2, 44100, 0.5, True),
    ("g.ts", "mkv", 1, 44100, 0.0, True),
    ("h.avi", "mp4", 1, 16000, 0.0, False),
    ("i.mp4", "webm", 2, 48000, 0.5, False),
    ("j.mov", "webm", 1, 48000, 0.0, False),
    ("k.webm", "mp4", 2, 48000, 0.7, True),
    ("l.webm", "webm", 2, 48000, 0.0, True),
    ("m.flv", "mp4", 1, 44100, 0.0, True),
]
SOURCES = {
    "e.mkv": {"audio_codec": "libmp3lame"},
    "h.avi": {"codec": "mpeg4"},
    "j.mov": {"audio_codec": "pcm_s16le"},
    "k.webm": {"codec": "libvpx-vp9"},
    "l.webm": {"codec": "libvpx-vp9"},
}


def sound_of(path):
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        packets = [bytes(p) for p in container.demux(stream) if p.size]
        return stream.codec_context.name, stream.channels, stream.rate, packets


@pytest.mark.parametrize(
    "name,suffix,channels,rate,late,copied", COPIES, ids=[c[0] for c in COPIES]
)
def test_sound_and_picture_stay_together(
    tmp_path, name, suffix, channels, rate, late, copied
):
    source = tmp_path / name
    write_pair(source, 17, 2.5, rate, channels, late, **SOURCES.get(name, {}))
    path = tmp_path / f"copy.{suffix}"
    write_video_copy(path, source, stream_timed_frames(source))
    times = np.arange(0, 2.5, 0.01)
    assert flash_time(read_frames(path, times, 32), times) == pytest.approx(
        1.7, abs=0.011
    )
    waveform, has_audio = read_waveform(path, duration=2.5)
    assert has_audio
    assert click_time(waveform) == pytest.approx(1.7, abs=0.003)
    before, after = sound_of(source), sound_of(path)
    assert before[1:3] == after[1:3]
    assert (before[0] == after[0]) == copied
    if copied:
        # Up to a header that only a stream needs.
        pairs = list(zip(before[3], after[3], strict=True))
        assert all(old.endswith(new) for old, new in pairs)


def test_variable_frame_times_are_kept(tmp_path):
    ticks = [0, 3, 10, 40, 41, 90]
    source = write_frames_at(
        tmp_path / "a.mp4", ticks, 3, sound=clicks([0.4], 1, 16000)
    )
    for suffix in ("mp4", "mkv", "webm"):
        path = tmp_path / f"b.{suffix}"
        write_video_copy(path, source, stream_timed_frames(source))
        times = [float(t) for t, _ in stream_timed_frames(path)]
        np.testing.assert_allclose(times, np.array(ticks) / 100, atol=1e-3)
        assert click_time(read_waveform(path)[0]) == pytest.approx(0.4, abs=0.003)


def test_sound_before_the_picture_is_kept(tmp_path):
    """The picture starts 0.6 s after the sound; time 0 is at the picture."""
    from keras_avrep.data.audio_writer import SoundTrack

    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as container:
        track = SoundTrack(container, clicks([0.2, 1.1], 2, 44100), 44100, "aac")
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for position, image in enumerate(flashes([5], 14)):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts = 6 + position
            container.mux(stream.encode(frame))
            track.write_until((6 + position) / 10)
        container.mux(stream.encode())
        track.finish()
    for suffix in ("mkv", "mp4"):
        path = tmp_path / f"b.{suffix}"
        write_video_copy(path, source, stream_timed_frames(source))
        assert click_time(read_waveform(path, 0.0, 1.0)[0]) == pytest.approx(
            0.5, abs=0.003
        )
        assert click_time(read_waveform(path, -0.6, 0.5)[0]) == pytest.approx(
            0.2, abs=0.003
        )


def test_a_turned_video_is_written_upright(tmp_path):
    frames = np.zeros((4, 48, 80, 3), np.uint8)
    frames[:, :, :20] = [200, 40, 40]
    write_video(tmp_path / "a.mp4", frames, 10)
    source = tmp_path / "turned.mp4"
    with av.open(str(tmp_path / "a.mp4")) as old, av.open(str(source), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        stream.set_display_rotation(90)
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    write_video_copy(tmp_path / "b.mp4", source, stream_timed_frames(source))
    with av.open(str(tmp_path / "b.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (48, 80, 0)
    shown, copied = (
        np.stack([image for _, image in stream_timed_frames(path)])
        for path in (source, tmp_path / "b.mp4")
    )
    assert np.abs(copied.astype(int) - shown).mean() < 4


def test_pixels_that_are_not_square_stay_so(tmp_path):
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    write_video_copy(tmp_path / "b.mp4", source, stream_timed_frames(source))
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_odd_sizes_are_kept(tmp_path):
    write_video(tmp_path / "a.mkv", np.zeros((3, 33, 47, 3), np.uint8), 10)
    for suffix in ("mp4", "webm"):
        path = tmp_path / f"b.{suffix}"
        write_video_copy(
            path, tmp_path / "a.mkv", stream_timed_frames(tmp_path / "a.mkv")
        )
        info = probe(path)
        assert (info.height, info.width) == (33, 47)
        assert not info.has_audio


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path):
    source = write_ramp(tmp_path / "a.mp4")

    def interrupted():
        yield from list(stream_timed_frames(source))[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video_copy(tmp_path / "b.mp4", source, interrupted())
    with pytest.raises(ValueError, match="is the video itself"):
        write_video_copy(source, source, stream_timed_frames(source))
    with pytest.raises(ValueError, match="must end in one of"):
        write_video_copy(tmp_path / "b.gif", source, [])
    with pytest.raises(ValueError, match="is empty"):
        write_video_copy(tmp_path / "b.mp4", source, [])
    with pytest.raises(MediaError, match="no such file"):
        write_video_copy(tmp_path / "b.mp4", tmp_path / "c.mp4", [])
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
