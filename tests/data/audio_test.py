import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_files import damage_sound, write_ramp
from sound_files import (
    click_time,
    clicks,
    flash_time,
    write_click,
    write_flash_and_click,
    write_frames_at,
)

from keras_avrep.data import MediaError, read_frames, read_waveform, write_audio

# Matroska and FLV round to a millisecond, and so does the edit list of an MP4.
TOLERANCE = 0.0015
VIDEOS = [
    ("a.mp4", 44100, 2, 0.0, {}),
    ("b.mp4", 44100, 1, 0.5, {}),
    ("c.mp4", 16000, 1, 0.3, {}),
    ("d.mkv", 48000, 1, 0.0, {}),
    ("e.mkv", 22050, 2, 0.4, {"audio_codec": "libmp3lame"}),
    ("f.webm", 16000, 1, 0.0, {"codec": "libvpx-vp9"}),
    ("g.webm", 44100, 2, 0.7, {"codec": "libvpx-vp9"}),
    ("h.mov", 16000, 1, 0.0, {}),
    ("i.mov", 32000, 6, 0.25, {"audio_codec": "pcm_s24le"}),
    ("j.avi", 11025, 1, 0.0, {"codec": "mpeg4"}),
    ("k.ts", 44100, 1, 0.5, {}),
    ("l.flv", 44100, 1, 0.0, {}),
]
SOUNDS = [
    ("a.wav", 44100, 2),
    ("b.wav", 8000, 1),
    ("c.flac", 22050, 1),
    ("d.mp3", 44100, 1),
    ("e.mp3", 16000, 2),
    ("f.m4a", 32000, 1),
    ("g.ogg", 48000, 1),
]


@pytest.mark.parametrize(
    "name,rate,channels,late,options", VIDEOS, ids=[v[0] for v in VIDEOS]
)
def test_flash_and_click_stay_together(tmp_path, name, rate, channels, late, options):
    path = write_flash_and_click(
        tmp_path / name, 17, 2.5, rate, channels, late, **options
    )
    times = np.arange(0, 2.5, 0.01)
    flash = flash_time(read_frames(path, times, 32), times)
    assert flash == pytest.approx(1.7, abs=0.011)
    whole, has_audio = read_waveform(path, duration=2.5)
    assert has_audio
    assert (whole.shape, whole.dtype) == ((40000,), np.float32)
    assert click_time(whole) == pytest.approx(1.7, abs=TOLERANCE)
    # A part that is found by seeking is in the same place.
    part, _ = read_waveform(path, 1.45, 0.5)
    assert click_time(part) + 1.45 == pytest.approx(1.7, abs=TOLERANCE)
    # Before a late track there is silence, up to the tail of the codec's filter.
    silence, has_audio = read_waveform(path, 0.0, 0.2)
    assert has_audio
    assert np.abs(silence).max() < 0.01


@pytest.mark.parametrize("name,rate,channels", SOUNDS, ids=[s[0] for s in SOUNDS])
def test_sound_files_begin_with_their_first_sample(tmp_path, name, rate, channels):
    path = write_click(tmp_path / name, 1.2, 2.0, rate, channels)
    whole, has_audio = read_waveform(path)
    assert has_audio
    # Codecs of whole frames fill up the last one.
    assert 32000 <= len(whole) <= 32000 + 16000 * 1024 / rate
    assert click_time(whole) == pytest.approx(1.2, abs=2e-4)
    part, _ = read_waveform(path, 0.9, 0.5)
    np.testing.assert_allclose(part, whole[14400:22400], atol=1e-5)


def test_variable_frame_rate_keeps_picture_and_sound_together(tmp_path):
    ticks = [0, 3, 4, 30, 31, 95, 133, 134, 180, 199]
    for name in ("a.mp4", "b.mkv"):
        path = write_frames_at(
            tmp_path / name, ticks, 6, sound=clicks([1.33], 2, 16000)
        )
        times = np.arange(0, 2, 0.005)
        flash = flash_time(read_frames(path, times, 32), times)
        part, _ = read_waveform(path, 1.0, 0.5)
        assert flash == pytest.approx(1.33, abs=0.006)
        assert click_time(part) + 1.0 == pytest.approx(1.33, abs=TOLERANCE)


def test_a_gap_in_the_packets_is_silence(tmp_path):
    loud = np.sin(np.arange(48000) * 0.3).astype(np.float32)
    loud[24000:] = clicks([0.5], 1.5, 16000)
    write_audio(tmp_path / "loud.wav", loud)
    path = _without_packets(tmp_path / "loud.wav", tmp_path / "gap.mkv", 0.5, 1.0)
    sound, _ = read_waveform(path, 0.0, 3.0)
    assert np.abs(sound[:7000]).max() > 0.5
    assert np.abs(sound[9500:15000]).max() < 1e-3
    assert click_time(sound[25600:]) + 1.6 == pytest.approx(2.0, abs=TOLERANCE)


def _without_packets(source, target, start, stop):
    with av.open(str(source)) as given, av.open(str(target), "w") as container:
        stream = container.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(given.streams.audio[0]):
            if packet.size and not start < packet.pts * packet.time_base < stop:
                packet.stream = stream
                container.mux(packet)
    return target


def test_damaged_packets_do_not_move_the_rest(tmp_path):
    path = write_flash_and_click(tmp_path / "a.mp4", 20, 3.0, 16000)
    with av.open(str(path)) as container:
        places = [
            (packet.pos, packet.size)
            for packet in container.demux(container.streams.audio[0])
            if packet.size and 0.5 < packet.pts * packet.time_base < 1.2
        ]
    data = bytearray(path.read_bytes())
    for place, size in places:
        data[place : place + size] = b"\xff" * size
    path.write_bytes(bytes(data))
    sound, _ = read_waveform(path, 0.0, 3.0)
    assert np.isfinite(sound).all()
    assert click_time(sound[25600:]) + 1.6 == pytest.approx(2.0, abs=TOLERANCE)


def test_no_track_is_zeros_and_says_so(tmp_path):
    path = write_ramp(tmp_path / "mute.mp4")
    for starts, shape in ((0.5, (8000,)), ([[0.0, 1.0]], (1, 2, 8000))):
        sound, has_audio = read_waveform(path, starts, 0.5)
        assert not has_audio
        assert sound.shape == shape
        assert not sound.any()
    assert read_waveform(path)[0].shape == (32000,)


@pytest.mark.parametrize("damage", ["empty", "text", "missing", "sound"])
def test_bad_files_are_errors_that_name_the_file(tmp_path, damage):
    path = tmp_path / "bad.mp4"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("not a sound at all\n" * 50)
    elif damage == "sound":
        damage_sound(write_flash_and_click(path, 5, 1.0, 16000))
    with pytest.raises(MediaError, match=r"bad\.mp4"):
        read_waveform(path, 0.0, 1.0)


def test_bad_arguments_are_errors(tmp_path):
    path = write_click(tmp_path / "a.wav", 0.5, 1.0, 8000)
    with pytest.raises(ValueError, match="duration"):
        read_waveform(path, 0.0, 0.0)
    with pytest.raises(ValueError, match="duration"):
        read_waveform(path, [0.0, 1.0])
    with pytest.raises(ValueError, match="sample_rate"):
        read_waveform(path, 0.0, 1.0, sample_rate=0)


@pytest.fixture(scope="module")
def noises(tmp_path_factory):
    """A second and a half of noise at several rates, and what reads as a whole."""
    folder, files = tmp_path_factory.mktemp("noises"), []
    rng = np.random.default_rng(0)
    for rate in (8000, 11025, 16000, 44100):
        path = folder / f"{rate}.wav"
        write_audio(path, 0.3 * rng.normal(size=round(1.5 * rate)), rate)
        for target in (16000, 22050):
            whole = read_waveform(path, 0.0, 1.6, target)[0]
            files.append((path, target, np.pad(whole, (target, 2 * target))))
    return files


@settings(max_examples=60, deadline=None)
@given(
    index=st.integers(0, 7),
    start=st.floats(-0.9, 2.0),
    duration=st.floats(0.01, 1.3),
)
def test_a_span_is_a_part_of_the_whole(noises, index, start, duration):
    path, rate, whole = noises[index]
    part, _ = read_waveform(path, start, duration, rate)
    first = rate + round(start * rate)
    assert len(part) == round(duration * rate)
    assert np.abs(part).max() <= 1
    np.testing.assert_allclose(part, whole[first : first + len(part)], atol=2e-5)


def test_several_spans_are_read_at_once(noises):
    path, rate, whole = noises[2]
    parts, _ = read_waveform(path, [[0.0, 0.7], [1.4, -0.2]], 0.25, rate)
    assert parts.shape == (2, 2, round(0.25 * rate))
    for start, part in zip((0.0, 0.7, 1.4, -0.2), parts.reshape(4, -1), strict=True):
        first = rate + round(start * rate)
        np.testing.assert_allclose(part, whole[first : first + len(part)], atol=2e-5)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_resampling_keeps_what_fits_and_takes_away_the_rest(tmp_path, rate):
    t, target = np.arange(2 * rate) / rate, np.arange(16000) / 16000 + 0.5
    path = tmp_path / "tones.wav"
    write_audio(path, 0.5 * np.sin(2 * np.pi * 440.5 * t), rate, codec="pcm_f32le")
    found, _ = read_waveform(path, 0.5, 1.0)
    np.testing.assert_allclose(
        found, 0.5 * np.sin(2 * np.pi * 440.5 * target), atol=2e-4
    )
    if rate > 20000:
        write_audio(path, 0.5 * np.sin(2 * np.pi * 9000 * t), rate, codec="pcm_f32le")
        assert np.abs(read_waveform(path, 0.5, 1.0)[0]).max() < 2e-3


@pytest.mark.parametrize(
    "codec,step", [("pcm_u8", 2**-7), ("pcm_s16le", 2**-15), ("pcm_s24le", 2**-15)]
)
def test_every_sample_format_has_full_scale_one(tmp_path, codec, step):
    wave = np.linspace(-1, 1, 16000)
    write_audio(tmp_path / "a.wav", np.stack([wave, wave], 1), codec=codec)
    found, _ = read_waveform(tmp_path / "a.wav", 0.0, 1.0)
    np.testing.assert_allclose(found, wave, atol=1.01 * step)


def test_channels_are_averaged(tmp_path):
    wave = np.stack([np.full(8000, 0.8), np.full(8000, -0.4)], axis=1)
    write_audio(tmp_path / "a.wav", wave, codec="pcm_f32le")
    np.testing.assert_allclose(read_waveform(tmp_path / "a.wav")[0], 0.2, atol=1e-6)


def test_writing_says_what_is_wrong_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="suffix"):
        write_audio(tmp_path / "a.xyz", np.zeros(8))
    for shape in ((0,), (8, 3), (2, 8, 1)):
        with pytest.raises(ValueError, match="shape"):
            write_audio(tmp_path / "a.wav", np.zeros(shape))
    with pytest.raises(ValueError, match="GIF"):
        write_ramp(tmp_path / "a.gif", codec="gif", audio=np.zeros(8))
    assert list(tmp_path.iterdir()) == []
