import numpy as np
import PIL.Image
import pytest

import remend
from made_damage import worn
from made_models import write_mean_filler
from remend.errors import MaskError, UsageError, WriteError


def damaged() -> tuple[np.ndarray, np.ndarray]:
    image = np.full((48, 64, 3), 120, np.uint8)
    mask = np.zeros((48, 64), bool)
    mask[20:23, 8:50] = True
    image[mask] = 255
    return image, mask


@pytest.mark.parametrize("shape", ["grey", "grey1", "rgb"])
def test_arrays_give_arrays_of_the_same_shape(shape):
    image, mask = damaged()
    image = {"grey": image[..., 0], "grey1": image[..., :1], "rgb": image}[shape]
    kept = image.copy()
    repaired = remend.repair(image, mask)
    assert repaired.shape == image.shape
    assert np.abs(repaired.astype(int) - 120).max() <= 1
    np.testing.assert_array_equal(image, kept)


def test_pil_images_give_pil_images():
    image, mask = damaged()
    repaired = remend.repair(PIL.Image.fromarray(image), PIL.Image.fromarray(mask))
    assert isinstance(repaired, PIL.Image.Image)
    assert np.abs(np.array(repaired).astype(int) - 120).max() <= 1


def test_paths_give_paths_of_their_kind_and_equal_pixels(tmp_path):
    image, mask = damaged()
    PIL.Image.fromarray(image).save(tmp_path / "a.png")
    PIL.Image.fromarray(mask).save(tmp_path / "m.png")
    written = remend.repair(tmp_path / "a.png", tmp_path / "m.png")
    assert written == tmp_path / "a.repaired.png"
    named = remend.repair(str(tmp_path / "a.png"), mask, output=tmp_path / "b.png")
    assert named == str(tmp_path / "b.png")
    for path in (written, named):
        np.testing.assert_array_equal(np.array(PIL.Image.open(path)), remend.repair(image, mask))


def test_an_existing_output_is_refused_before_any_work(tmp_path):
    (tmp_path / "b.png").write_bytes(b"keep me")
    with pytest.raises(WriteError, match="--overwrite"):
        remend.repair(tmp_path / "missing.png", output=tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == b"keep me"


def test_bool_masks_mean_repair_whatever_the_polarity():
    image, mask = damaged()
    np.testing.assert_array_equal(
        remend.repair(image, mask, mask_polarity="black"), remend.repair(image, mask)
    )
    inverted = np.where(mask, 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(
        remend.repair(image, inverted, mask_polarity="black"), remend.repair(image, mask)
    )


def test_masks_that_cannot_be_meant():
    image, mask = damaged()
    with pytest.raises(MaskError, match="whole picture"):
        remend.repair(image, np.ones_like(mask))
    with pytest.raises(MaskError, match="10×10"):
        remend.repair(image, np.zeros((10, 10), bool))
    with pytest.raises(UsageError, match="output is for paths"):
        remend.repair(image, mask, output="x.png")


def test_detect_gives_regions():
    assert remend.detect(np.full((64, 64, 3), 128, np.uint8)) == []
    found = remend.detect(worn()[0])
    assert found and any(max(region.box.height, region.box.width) > 40 for region in found)


def test_lines_come_as_an_array_a_picture_or_a_path_and_are_followed(tmp_path):
    image, mask = damaged()
    image[~mask] = 60
    lines = np.zeros(mask.shape, bool)
    lines[21, 10:40] = True
    PIL.Image.fromarray(image).save(tmp_path / "a.png")
    PIL.Image.fromarray(lines).save(tmp_path / "l.png")
    method = str(write_mean_filler(tmp_path / "net.onnx", guide=True, card={"margin_px": 4}))
    repaired = remend.repair(image, mask, guide=lines, method=method)
    assert (repaired[lines] > 240).all()
    assert (repaired[mask & ~lines] < 70).all()
    np.testing.assert_array_equal(repaired[~mask], image[~mask])
    for guide in (PIL.Image.fromarray(lines), tmp_path / "l.png", lines.astype(np.uint8) * 255):
        np.testing.assert_array_equal(remend.repair(image, mask, guide=guide, method=method), repaired)
    written = remend.repair(tmp_path / "a.png", mask, guide=lines, method=method)
    np.testing.assert_array_equal(np.array(PIL.Image.open(written)), repaired)


def test_lines_that_cannot_be_meant(tmp_path):
    image, mask = damaged()
    method = str(write_mean_filler(tmp_path / "net.onnx", guide=True))
    small = np.ones((24, 32), bool)
    with pytest.raises(UsageError, match="the guide is 32×24 and the picture 64×48"):
        remend.repair(image, mask, guide=small, method=method)
    remend.repair(image, mask, guide=small, method=method, resize_mask=True)
    with pytest.raises(UsageError, match="follows no lines"):
        remend.repair(image, mask, guide=mask)


@pytest.mark.parametrize("shape", ["grey", "grey1", "rgb"])
def test_an_array_is_made_larger(shape):
    image, _ = damaged()
    image = {"grey": image[..., 0], "grey1": image[..., :1], "rgb": image}[shape]
    large = remend.restore(image, only="tone", tone=0, upscale=2)
    assert large.shape == (96, 128, *image.shape[2:])
