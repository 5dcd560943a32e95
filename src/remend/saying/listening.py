"""A spoken command as text, offline: CMU Pocketsphinx with a small fixed grammar of English.

Huggins-Daines et al., "PocketSphinx: A free, real-time continuous speech recognition system for hand-held
devices", ICASSP 2006. Its English model comes with its package; there is none for Chinese.
"""

from __future__ import annotations

import io
import wave
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError

__all__ = ["MOST_SECONDS", "heard", "listens"]

MOST_SECONDS = 15
RATE = 16_000
LEVEL = 9000.0  # to which speech is brought, of 32767
QUIET = 60.0  # what is softer is no speech
PAUSE = RATE * 2 // 5  # samples of quiet before and after, without which the last word is cut short

GRAMMAR = """#JSGF V1.0;
grammar repair;
<verb> = remove | erase | delete | clean | repair | get rid of;
<kind> = scratch | scratches | crack | cracks | line | lines | dust | stain | stains | spot | spots | hole |
  holes | date | text | caption | watermark | logo | damage | ball | thing | one | everything;
<colour> = red | orange | yellow | green | blue | purple | pink | brown | black | white | gray;
<which> = largest | smallest | longest | small | large | first | second | third | last | left | right |
  middle;
<place> = in the sky | in the background | in the middle | in the corner | at the top | at the bottom |
  on the left | on the right | at the top left | at the top right | at the bottom left |
  at the bottom right | from the left | from the right;
<thing> = [the | all | both | all the] [<which>] [<colour>] <kind> [<place>];
public <command> = [please] <verb> <thing> [and <thing>] [but keep <thing>];
"""


def listens() -> bool:
    """Whether what it needs is installed: the extra ``voice``."""
    return find_spec("pocketsphinx") is not None


def heard(sound: bytes) -> str:
    """What is said in a WAV file.

    Args:
        sound: 8, 16 or 32 bits, any rate, up to 15 seconds.

    Returns:
        Words that `remend.saying.grammar.parse` reads. It hears what the grammar above can say, and nothing
        else: show it to who spoke before it is done.

    Raises:
        UsageError: no WAV, too long, nothing that was understood, or the extra is not installed.

    Cost: half a second to load, then a tenth of the time that was spoken; 60 MB.
    """
    samples = _samples(sound)
    if not listens():
        raise UsageError("speech is not understood here: install 'remend[voice]', or type")
    level = float(np.percentile(np.abs(samples), 99)) if samples.size else 0.0
    text = _recognized(samples * (LEVEL / level)) if level > QUIET else ""
    if not text:
        raise UsageError("nothing was understood: speak English, slowly, as in 'remove the date', or type it")
    return text


def _recognized(samples: NDArray[np.float64]) -> str:
    from pocketsphinx import Decoder  # an extra, and slow to load

    quiet = np.random.default_rng(0).normal(0, 20, PAUSE)  # digital silence upsets its model of noise
    spoken = np.concatenate([quiet, samples, quiet]).clip(-32767, 32767).astype(np.int16)
    decoder = Decoder(lm=None, samprate=RATE, loglevel="FATAL")
    decoder.add_jsgf_string("repair", GRAMMAR)
    decoder.activate_search("repair")
    decoder.start_utt()
    decoder.process_raw(spoken.tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return "" if found is None else str(found.hypstr)


def _samples(sound: bytes) -> NDArray[np.float64]:
    """One channel at 16 kHz.

    Raises:
        UsageError: no WAV that can be read, or too long.
    """
    try:
        with wave.open(io.BytesIO(sound)) as file:
            rate, width, channels, count = (
                file.getframerate(),
                file.getsampwidth(),
                file.getnchannels(),
                file.getnframes(),
            )
            if not 4000 <= rate <= 192_000 or width not in (1, 2, 4) or not 1 <= channels <= 8:
                raise wave.Error
            if count > MOST_SECONDS * rate:
                raise UsageError(f"the sound is longer than {MOST_SECONDS} seconds: say it in fewer words")
            content = file.readframes(count)
    except (wave.Error, EOFError) as error:
        raise UsageError("the sound is no WAV file that can be read: record 16 bits, mono") from error
    kind = np.dtype({1: "u1", 2: "<i2", 4: "<i4"}[width])
    whole = len(content) // (width * channels) * width * channels
    raw: NDArray[np.float64] = (
        np.frombuffer(content[:whole], kind).astype(np.float64).reshape(-1, channels).mean(axis=1)
    )
    raw = (raw - 128) * 256 if width == 1 else raw / (65536 if width == 4 else 1)
    places = np.arange(round(len(raw) * RATE / rate)) * (rate / RATE)
    if not len(raw):
        return raw
    return np.asarray(np.interp(places, np.arange(len(raw)), raw), np.float64)
