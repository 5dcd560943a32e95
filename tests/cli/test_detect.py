import json

import numpy as np
import PIL.Image
import pytest

from made_damage import worn
from remend.cli import main


def cli(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return int(stop.value.code or 0)


@pytest.fixture
def scratched(tmp_path):
    PIL.Image.fromarray(worn()[0]).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_mask_overlay_and_json(scratched, tmp_path, capsys):
    mask, seen = tmp_path / "m.png", tmp_path / "seen.jpg"
    assert cli("detect", scratched, "-o", mask, "--overlay", seen, "--json") == 0
    line = json.loads(capsys.readouterr().out)
    assert line["regions"]
    assert line["nature"] == "photograph" and line["left"] == [] and line["notes"] == []
    found = np.array(PIL.Image.open(mask))
    assert set(np.unique(found)) == {0, 255}
    truth = worn()[1]
    assert (found[truth] == 255).mean() > 0.5
    assert (found > 0).mean() < 0.15
    with PIL.Image.open(seen) as shown:
        assert shown.size == (384, 300)


def test_existing_masks_are_kept_unless_told(scratched, tmp_path):
    mask = tmp_path / "m.png"
    mask.write_bytes(b"mine")
    assert cli("detect", scratched, "-o", mask) == 4
    assert mask.read_bytes() == b"mine"
    assert cli("detect", scratched, "-o", mask, "--overwrite") == 0


def test_it_wants_to_know_what_for(scratched, capsys):
    assert cli("detect", scratched) == 2
    assert "--json" in capsys.readouterr().err


def test_one_bad_file_does_not_stop_the_rest(scratched, tmp_path, capsys):
    assert cli("detect", tmp_path / "nowhere.png", scratched, "--json") == 1
    assert json.loads(capsys.readouterr().out)["input"] == str(scratched)


def test_several_make_the_folder(scratched, tmp_path, capsys):
    other = tmp_path / "b.png"
    other.write_bytes(scratched.read_bytes())
    folder, seen = tmp_path / "masks" / "deep", tmp_path / "seen"
    assert cli("detect", scratched, other, "-o", folder, "--overlay", seen) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a.png.mask.png", "b.png.mask.png"]
    assert sorted(path.name for path in seen.iterdir()) == ["a.png.seen.png", "b.png.seen.png"]


def test_a_slash_means_a_folder_and_a_file_is_none(scratched, tmp_path, capsys):
    assert cli("detect", scratched, "-o", f"{tmp_path}/new/") == 0
    assert (tmp_path / "new" / "a.png.mask.png").is_file()
    assert cli("detect", scratched, "-o", tmp_path / "other" / "m.png") == 0
    assert (tmp_path / "other" / "m.png").is_file()
    capsys.readouterr()
    assert cli("detect", scratched, "--overlay", f"{scratched}/") == 4
    assert "give another --overlay" in capsys.readouterr().err


def test_kinds_are_asked_for_and_left(scratched, tmp_path, capsys):
    assert cli("detect", scratched, "--find", "text,watermarks", "--json") == 0
    answer = capsys.readouterr()
    assert json.loads(answer.out)["regions"] == []
    assert cli("detect", scratched, "--skip", "scratches", "--skip", "cracks", "--json") == 0
    assert {region["kind"] for region in json.loads(capsys.readouterr().out)["regions"]} <= {"dust", "hole"}


def test_an_unknown_kind_is_one_line_before_any_picture(capsys):
    for verb in ("detect", "repair"):
        assert cli(verb, "nowhere.png", "--find", "dust,fog", "--json") == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1
        assert "'fog' is no kind of damage: choose from scratch, crack" in said.err


def test_what_was_left_is_told(scratched, tmp_path, capsys, monkeypatch):
    from remend.damage.find import Analysis
    from remend.picture import Box, Region

    date = Region(Box(5, 6, 9, 20), np.ones((4, 14), bool), "text", 0.87)
    told = Analysis((), (date,), "document", ("a date or caption was seen and left",))
    monkeypatch.setattr("remend.damage.find.analyse", lambda *_, **options: asked.append(options) or told)
    asked = []
    assert cli("detect", scratched, "--find", "damage", "--force", "--json") == 0
    said = capsys.readouterr()
    line = json.loads(said.out)
    assert line["nature"] == "document" and line["regions"] == []
    assert line["left"] == [{"kind": "text", "confidence": 0.87, "box": [6, 5, 20, 9], "pixels": 56}]
    assert "  note: a date or caption was seen and left\n" in said.err
    assert asked[0]["force"] is True
    assert cli("repair", scratched, "--dry-run", "--json", "--skip", "dust", "--force") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["nature"], report["left"], report["found"]) == ("document", {"text": 1}, {})
    assert asked[1]["kinds"] == ("scratch", "crack", "stain", "hole") and asked[1]["force"]


def test_what_the_file_is_about_is_told(tmp_path, capsys):
    first = PIL.Image.fromarray(np.full((40, 60, 3), 90, np.uint8))
    first.save(tmp_path / "a.tif", save_all=True, append_images=[first])
    assert cli("detect", tmp_path / "a.tif", "-o", tmp_path / "m.png", "--json") == 0
    out, err = capsys.readouterr()
    assert "first of 2 pages" in err
    assert any("first of 2 pages" in note for note in json.loads(out)["notes"])
