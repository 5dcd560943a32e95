"""What is shown before anything is repaired: the effective mask, and pictures that a browser cannot show."""

import io

import numpy as np
import PIL.Image
import pytest

from remend.finding import find_mask
from remend.io import read_picture
from remend.options import MaskOptions

from .conftest import as_file, scratched

IMAGE, MASK = scratched()
NOISE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)


def sent(home, path: str, image: bytes, mask: bytes | None = None, **fields: str):
    files = {"image": ("a.png", image)} | ({} if mask is None else {"mask": ("mask", mask)})
    return home.post(path, files=files, data=fields)


def shown(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(PIL.Image.open(io.BytesIO(answer.content)))


def soft() -> np.ndarray:
    """Wholly marked inside, with a rim of 1 to 100 and a faint speck far from it."""
    levels = np.zeros(MASK.shape, np.uint8)
    levels[20:24, 20:40], levels[19, 20:40], levels[24, 20:40] = 255, 1, 100
    levels[50, 60] = 90
    return levels


def json_mask() -> bytes:
    return b'[{"segmentation": [[10, 20, 70, 20, 70, 23, 10, 23]], "image_id": 1}]'


@pytest.mark.parametrize(
    ("mask", "fields"),
    [
        (as_file(MASK), {}),
        (as_file(soft()), {}),
        (as_file(MASK // 255), {}),
        (as_file(255 - MASK), {"mask_polarity": "black"}),
        (as_file(MASK), {"dilate_px": "3"}),
        (as_file(soft(), "JPEG", quality=60), {}),
        (json_mask(), {}),
    ],
    ids=["hard", "soft", "of 0 and 1", "black", "dilated", "lossy", "outlines"],
)
def test_the_mask_is_the_one_that_a_repair_uses(home, mask, fields):
    answer = sent(home, "/v1/mask", as_file(IMAGE), mask, **fields)
    options = {name: int(value) if value.isdigit() else value for name, value in fields.items()}
    wanted = find_mask(read_picture(as_file(IMAGE)), mask, options=MaskOptions(**options)).mask
    np.testing.assert_array_equal(shown(answer), wanted * np.uint8(255))
    repaired = sent(home, "/v1/repair", as_file(IMAGE), mask, method="telea", **fields)
    assert answer.headers["remend-hole-ratio"] == repaired.headers["remend-hole-ratio"]
    assert answer.headers["remend-notes"] == repaired.headers["remend-notes"]


@pytest.mark.parametrize(
    ("mask", "consent"), [(np.uint8(255) - MASK, "yes"), (np.zeros((9, 9), np.uint8), "resize_mask")]
)
def test_what_passes_only_when_it_is_meant_says_how(home, mask, consent):
    problem = sent(home, "/v1/mask", as_file(IMAGE), as_file(mask)).json()
    assert (problem["kind"], problem["consent"]) == ("mask-mismatch", consent)
    assert sent(home, "/v1/mask", as_file(IMAGE), as_file(mask), **{consent: "true"}).status_code == 200


@pytest.mark.parametrize(("format", "damage"), [("JPEG", "cut"), ("PNG", "cut"), ("PNG", "bits")])
def test_of_a_truncated_picture_what_is_there_is_shown_and_the_rest_is_the_mask(home, format, damage):
    data = bytearray(as_file(NOISE, format))
    if damage == "cut":
        del data[len(data) * 2 // 3 :]
    else:
        data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    cut = bytes(data)
    for path in ("/v1/repair", "/v1/detect", "/v1/mask", "/v1/view"):
        problem = sent(home, path, cut).json()
        assert (problem["kind"], problem["consent"]) == ("undecodable", "tolerate")
        assert "--" not in problem["detail"] + problem["remedy"]
    found = sent(home, "/v1/detect", cut, tolerate="true").json()
    assert any("cut short" in note for note in found["notes"])
    there = read_picture(cut, tolerate=True)
    view = shown(sent(home, "/v1/view", cut, tolerate="true"))
    np.testing.assert_array_equal(view, there.samples)
    missing = sent(home, "/v1/mask", cut, tolerate="true")
    assert there.container.missing.any()
    np.testing.assert_array_equal(shown(missing) > 0, there.container.missing)
    assert "cut short" in missing.headers["remend-notes"]


def test_a_truncated_mask_is_refused_whatever_is_tolerated(home):
    cut = as_file(NOISE[..., 0])[:9000]
    for fields in ({}, {"tolerate": "true"}):
        problem = sent(home, "/v1/mask", as_file(NOISE), cut, **fields).json()
        assert (problem["kind"], problem["field"], problem["consent"]) == ("undecodable", "mask", None)
        assert "tolerate" not in problem["detail"] + problem["remedy"]


def test_what_a_patch_filled_is_missing_no_more(home):
    cut = as_file(NOISE)[: len(as_file(NOISE)) * 2 // 3]
    nothing = as_file(np.zeros((120, 160), np.uint8))
    fields = {"tolerate": "true", "method": "telea"}
    patch = sent(home, "/v1/repair", cut, nothing, format="patch", **fields)
    alpha = shown(patch)[..., 3] > 0
    np.testing.assert_array_equal(alpha, read_picture(cut, tolerate=True).container.missing)
    files = {"image": ("a.png", cut), "mask": ("m", nothing), "kept": ("k", patch.content)}
    written = home.post("/v1/repair", files=files, data={"tolerate": "true", "method": "navier-stokes"})
    after = shown(written)
    np.testing.assert_array_equal(after[alpha], shown(patch)[..., :3][alpha])
    np.testing.assert_array_equal(after[~alpha], NOISE[~alpha])


@pytest.mark.parametrize("mode", ["CMYK", "F", "I;16", "P"])
def test_a_view_of_what_a_browser_cannot_show(home, mode, tmp_path):
    grey = PIL.Image.fromarray(np.tile(np.arange(80, dtype=np.uint8) * 3, (60, 1)))
    made = grey.convert("RGB").convert(mode) if mode in ("CMYK", "P") else grey.convert("I").convert(mode)
    made.save(tmp_path / "a.tif")
    view = PIL.Image.open(io.BytesIO(sent(home, "/v1/view", (tmp_path / "a.tif").read_bytes()).content))
    assert view.format == "PNG"
    ramp = np.asarray(view.convert("F") if mode == "I;16" else view.convert("L"))[30].astype(float)
    assert ramp[0] < ramp[40] < ramp[79]


def test_a_view_is_upright(home):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    PIL.Image.fromarray(NOISE).save(file, "TIFF", exif=exif)
    view = shown(sent(home, "/v1/view", file.getvalue()))
    np.testing.assert_array_equal(view, np.rot90(NOISE, -1))


def test_neither_takes_what_it_does_not_need(home):
    assert sent(home, "/v1/view", as_file(IMAGE), as_file(MASK)).json()["field"] == "mask"
    assert sent(home, "/v1/mask", as_file(IMAGE), as_file(MASK), find="dust").json()["field"] == "find"
