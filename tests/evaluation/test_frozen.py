"""Protocol files: what is frozen stays, or the evaluation says what does not."""

import json
from pathlib import Path

import pytest

from remend.errors import EvaluationError, PictureError, WriteError
from remend.evaluation.frozen import freeze, read_frozen, verify, write_frozen
from remend.evaluation.pairs import find_pairs
from remend.evaluation.run import evaluate


@pytest.fixture
def pairs(tmp_path: Path, save, picture, hole):
    for seed, name in enumerate("abc"):
        save(f"p/{name}.png", picture(seed))
        save(f"p/{name}_mask.png", hole)
    return find_pairs(tmp_path / "p").pairs


@pytest.fixture
def file(tmp_path: Path, pairs) -> Path:
    write_frozen(tmp_path / "p.json", freeze(pairs))
    return tmp_path / "p.json"


def test_there_and_back_with_the_hash_of_the_numbers(file, pairs):
    frozen = read_frozen(file)
    measured = evaluate(pairs, ["m"], restore=lambda image, hole, method: image)
    assert frozen.protocol == measured.protocol
    assert json.loads(file.read_text())["sha256"] == measured.protocol.sha256
    assert frozen.files["a"] == ("a.png", "a_mask.png")
    assert verify(frozen, pairs) == pairs


def test_pictures_that_came_later_are_left_out(tmp_path, file, save, picture, hole):
    save("p/d.png", picture(9))
    save("p/d_mask.png", hole)
    found = verify(read_frozen(file), find_pairs(tmp_path / "p").pairs)
    assert [pair.name for pair in found] == ["a", "b", "c"]


def test_a_changed_picture_mask_or_a_missing_pair_is_named(tmp_path, file, pairs, save, picture, hole):
    frozen = read_frozen(file)
    save("p/b.png", picture(7))
    with pytest.raises(EvaluationError, match=r"b\.png is not the picture"):
        verify(frozen, pairs)
    save("p/b.png", picture(1))
    hole[0, 0] = 255
    save("p/c_mask.png", hole)
    with pytest.raises(EvaluationError, match=r"c_mask\.png is not the mask"):
        verify(frozen, pairs)
    (tmp_path / "p" / "c.png").write_bytes(b"broken")
    with pytest.raises(EvaluationError, match="lists c, which cannot be read"):
        verify(frozen, pairs)
    with pytest.raises(EvaluationError, match="lists a, which is not among"):
        verify(frozen, pairs[1:])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"polarity": "black"}, "--mask-polarity white, not black"),
        ({"seed": 3}, "--seed 0, not 3"),
        ({"learned": {"pd": "x"}}, "does not measure pd"),
    ],
)
def test_other_settings_are_refused(file, pairs, settings, words):
    with pytest.raises(EvaluationError, match=words):
        verify(read_frozen(file), pairs, **settings)


def test_learned_rules_and_their_files_are_frozen(tmp_path, pairs):
    write_frozen(tmp_path / "l.json", freeze(pairs, learned={"pd": "weights 1"}, seed=2))
    frozen = read_frozen(tmp_path / "l.json")
    assert verify(frozen, pairs, learned={"pd": "weights 1"}, seed=2) == pairs
    with pytest.raises(EvaluationError, match="pd is not as frozen"):
        verify(frozen, pairs, learned={"pd": "weights 2"}, seed=2)
    with pytest.raises(EvaluationError, match="measures pd too"):
        verify(frozen, pairs, seed=2)
    assert frozen.protocol.sha256 != freeze(pairs).protocol.sha256


def test_a_file_that_was_edited_or_is_none(tmp_path, file):
    content = json.loads(file.read_text())
    content["pairs"][0]["mask"] = "0" * 64
    file.write_text(json.dumps(content))
    with pytest.raises(EvaluationError, match="changed after it was frozen"):
        read_frozen(file)
    content["rules"]["psnr"] = "other"
    file.write_text(json.dumps(content))
    with pytest.raises(EvaluationError, match="other rules of psnr"):
        read_frozen(file)
    for text in ("[]", "{", '{"kind": "other"}'):
        file.write_text(text)
        with pytest.raises(EvaluationError, match="no protocol file"):
            read_frozen(file)
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_frozen(tmp_path / "missing.json")


def test_it_is_never_replaced_and_has_no_holes(tmp_path, file, pairs):
    with pytest.raises(WriteError, match="exists already"):
        write_frozen(file, freeze(pairs))
    (tmp_path / "p" / "a.png").write_bytes(b"broken")
    with pytest.raises(PictureError):
        freeze(pairs)
