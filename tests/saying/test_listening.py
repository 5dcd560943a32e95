"""Speech: what is no speech is refused kindly; what is, becomes words that the grammar reads."""

import io
import shutil
import subprocess
import wave

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from remend.cli.main import remend as command
from remend.errors import UsageError
from remend.saying import listening
from remend.saying.grammar import parse
from remend.saying.listening import MOST_SECONDS, heard, listens

needs_extra = pytest.mark.skipif(not listens(), reason="needs pocketsphinx, the extra voice")


def sound(samples: np.ndarray, rate: int = 16_000) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return data.getvalue()


def test_what_is_no_sound_is_refused():
    with pytest.raises(UsageError, match="no WAV file"):
        heard(b"RIFF of nothing")
    with pytest.raises(UsageError, match="longer than 15 seconds"):
        heard(sound(np.zeros((MOST_SECONDS + 1) * 16_000)))


def test_without_the_extra_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(listening, "listens", lambda: False)
    with pytest.raises(UsageError, match=r"install 'remend\[voice\]', or type"):
        heard(sound(np.zeros(16_000)))


@needs_extra
@pytest.mark.parametrize("kind", ["silence", "noise", "tone"])
def test_what_is_no_speech_is_not_understood(kind):
    samples = {
        "silence": np.zeros(24_000),
        "noise": np.random.default_rng(0).normal(0, 800, 24_000),
        "tone": 8000 * np.sin(np.arange(24_000) / 8),
    }[kind]
    with pytest.raises(UsageError, match="nothing was understood"):
        heard(sound(samples))


def test_every_command_that_can_be_heard_is_one_that_can_be_read():
    for line in listening.GRAMMAR.replace("\n  ", " ").splitlines():
        name, _, alternatives = line.partition("> = ")
        if name not in ("<verb", "<kind", "<colour", "<which", "<place"):
            continue
        for one in alternatives.rstrip(";").split(" | "):
            spoken = {
                "<verb": f"{one} the dust",
                "<kind": f"remove the {one}",
                "<colour": f"remove the {one} spots",
                "<which": f"remove the {one} stain",
                "<place": f"remove the dust {one}",
            }[name]
            assert parse(spoken).remove, spoken
    assert parse("please get rid of the second red scratch in the sky and the dust but keep the text").keep


@needs_extra
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng to speak")
@pytest.mark.parametrize("words", ["remove the date", "remove the largest stain"])
def test_a_voice_is_understood(words, tmp_path):
    spoken = tmp_path / "words.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", spoken, words], check=True)
    assert heard(spoken.read_bytes()) == words


def test_the_command_takes_a_wav_for_words(tmp_path, monkeypatch):
    monkeypatch.setattr(listening, "heard", lambda content: "remove the flibber")
    spoken = tmp_path / "words.wav"
    spoken.write_bytes(sound(np.zeros(100)))
    picture = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(picture)
    done = CliRunner().invoke(command, ["detect", str(picture), "--say", str(spoken), "--json"])
    assert done.exit_code == 2
    assert "heard: remove the flibber" in done.stderr
    missing = CliRunner().invoke(command, ["detect", str(picture), "--say", "none.wav", "--json"])
    assert "cannot be read" in str(missing.exception or missing.output)
