import json

import numpy as np
import PIL.Image
import pytest

from remend.cli import main


def cli(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return int(stop.value.code or 0)


@pytest.fixture
def scratched(tmp_path):
    image = np.full((200, 200, 3), 60, np.uint8)
    image[20:180, 99:101] = 230
    PIL.Image.fromarray(image).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_mask_overlay_and_json(scratched, tmp_path, capsys):
    mask, seen = tmp_path / "m.png", tmp_path / "seen.jpg"
    assert cli("detect", scratched, "-o", mask, "--overlay", seen, "--json") == 0
    line = json.loads(capsys.readouterr().out)
    assert line["regions"]
    found = np.array(PIL.Image.open(mask))
    assert set(np.unique(found)) == {0, 255}
    assert (found[40:160, 99:101] == 255).mean() > 0.9
    assert (found > 0).mean() < 0.1
    with PIL.Image.open(seen) as shown:
        assert shown.size == (200, 200)


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
