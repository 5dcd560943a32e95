"""Video files of our own making, with sound, made with PyAV."""

from fractions import Fraction

import numpy as np

__all__ = ["make_video", "packets_of"]


def make_video(
    path,
    frames,
    *,
    codec="libx264",
    pix_fmt="yuv420p",
    times=None,
    sound=True,
    rotation=0,
    chapters=False,
    tags=False,
    options=None,
    words=None,
):
    """Write frames (RGB uint8) at ``times`` in 1/12800 s, with a second of AAC and what else is asked for.

    ``words`` is a path for an .srt file, whose lines become a subtitle track.
    """
    import av

    times = times if times is not None else [512 * t for t in range(len(frames))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {"crf": "4"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.time_base = stream.codec_context.time_base = Fraction(1, 12800)
        if tags:
            stream.codec_context.color_primaries = 1
            stream.codec_context.color_trc = 1
            stream.codec_context.colorspace = 1
            stream.codec_context.color_range = 1
        if rotation:
            stream.set_display_rotation(rotation)
        tone = container.add_stream("aac", rate=48000) if sound else None
        if words is not None:
            words.write_text("1\n00:00:00,000 --> 00:00:00,120\na word\n\n")
            spoken = av.open(str(words))
            track = container.add_stream_from_template(spoken.streams.subtitles[0])
        container.metadata["title"] = "a clip"
        if chapters:
            mark = {
                "id": 1,
                "start": 0,
                "end": 100,
                "time_base": Fraction(1, 1000),
                "metadata": {"title": "one"},
            }
            container.set_chapters([mark])
        for pixels, when in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if tags:
                frame = frame.reformat(format=pix_fmt, dst_colorspace=1)
            frame.pts, frame.time_base = when, Fraction(1, 12800)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if words is not None:
            for packet in spoken.demux(spoken.streams.subtitles[0]):
                if packet.size:
                    packet.stream = track
                    container.mux(packet)
            spoken.close()
        if tone is not None:
            wave = (np.sin(np.arange(48000) / 9) * 8000).astype(np.float32)[None] / 32768
            for start in range(0, 48000, 1024):
                part = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(wave[:, start : start + 1024]), "fltp", "mono"
                )
                part.sample_rate, part.pts, part.time_base = 48000, start, Fraction(1, 48000)
                container.mux(tone.encode(part))
            container.mux(tone.encode(None))


def packets_of(path, kind):
    """(time, duration, bytes) of each packet of the first stream of a kind."""
    import av

    with av.open(str(path)) as container:
        stream = next(one for one in container.streams if one.type == kind)
        return [
            (packet.pts * packet.time_base, packet.duration * packet.time_base, bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]
