"""Small real files in which a white frame and a click mark the same moment."""

from fractions import Fraction

import av
import numpy as np

from keras_avrep.data import write_audio, write_video

FPS = 10
CLICK_SECONDS = 0.01


def clicks(times, seconds, rate, channels=1):
    """Tone bursts of 10 ms, each centred on its time: `(S,)` or `(S, channels)`."""
    t = np.arange(round(seconds * rate)) / rate
    sound = np.zeros_like(t)
    for time in times:
        x = (t - time) / CLICK_SECONDS
        burst = (
            0.5 * (1 + np.cos(2 * np.pi * x)) * np.cos(2 * np.pi * 1000 * (t - time))
        )
        sound += 0.8 * np.where(np.abs(x) < 0.5, burst, 0.0)
    sound = sound.astype(np.float32)
    return sound if channels == 1 else np.repeat(sound[:, None], channels, axis=1)


def click_time(waveform, rate=16000):
    """Seconds of the one click in a waveform: the centre of its energy."""
    energy = np.square(waveform.astype(float))
    assert energy.max() > 0.04, "there is no click"
    return float(np.sum(energy * np.arange(len(energy))) / energy.sum() / rate)


def flashes(positions, count):
    """Black frames, white at some positions."""
    frames = np.zeros((count, 32, 32, 3), np.uint8)
    frames[list(positions)] = 255
    return frames


def flash_time(frames, times):
    """The first of the times at which the picture is white."""
    return float(times[int(np.argmax(frames.mean(axis=(1, 2, 3)) > 128))])


def write_flash_and_click(path, position, seconds, rate, channels=1, late=0.0, **video):
    """A white frame of 0.1 s and a click at its start; the track may start late."""
    sound = clicks([position / FPS - late], seconds - late, rate, channels)
    frames = flashes([position], round(seconds * FPS))
    write_video(
        path, frames, FPS, audio=sound, sample_rate=rate, audio_start=late, **video
    )
    return path


def write_click(path, time, seconds, rate, channels=1, **kwargs):
    """A file of sound only."""
    write_audio(path, clicks([time], seconds, rate, channels), rate, **kwargs)
    return path


def write_frames_at(path, ticks, white, tick=Fraction(1, 100), sound=None, rate=16000):
    """Frames at given ticks, one of them white: variable frame rate."""
    from keras_avrep.data.audio_writer import SoundTrack

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=100)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.codec_context.time_base = tick
        track = SoundTrack(container, sound, rate, "aac")
        for position, image in enumerate(flashes([white], len(ticks))):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = ticks[position], tick
            container.mux(stream.encode(frame))
            track.write_until(float(ticks[position] * tick))
        container.mux(stream.encode())
        track.finish()
    return path
