"""`remend repair --snap`: the same mask options on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from remend.cli.main import main


def test_a_rim_goes_along_when_it_is_asked_for(tmp_path):
    y, x = np.mgrid[:120, :160]
    thing = np.hypot(y - 60, x - 80) < 30
    picture = np.where(thing[..., None], (200, 60, 50), (90, 110, 70)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "p.png")
    mask = thing & (x < 106)  # a thin crescent is left at the right
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "m.png")
    results = {}
    for snap in ("none", "rim"):
        out = tmp_path / f"{snap}.png"
        command = ["repair", str(tmp_path / "p.png"), "-m", str(tmp_path / "m.png"), "-o", str(out)]
        with pytest.raises(SystemExit) as ended:
            main([*command, "--method", "smooth", "--snap", snap])
        assert ended.value.code in (0, None)
        results[snap] = np.asarray(Image.open(out))
    left = thing & ~mask
    assert (results["none"][left] == picture[left]).all()
    assert (results["rim"][left] != picture[left]).any(axis=1).mean() > 0.9
    with pytest.raises(SystemExit) as ended:
        main(["repair", str(tmp_path / "p.png"), "--snap", "rim"])
    assert ended.value.code not in (0, None)
