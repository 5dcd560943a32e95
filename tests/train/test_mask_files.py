import json

import cv2
import numpy as np
import pytest
from PIL import Image

from remend.errors import MaskError, UsageError
from remend.train.config import Data
from remend.train.data.mask_files import BINS, read_mask_files
from remend.train.data.masks import MaskBank
from remend.train.data.pictures import read_pictures
from remend.train.data.samples import Sampler


def disc(size, radius):
    mask = np.zeros(size, np.uint8)
    cv2.circle(mask, (size[1] // 2, size[0] // 2), radius, 255, -1)
    return mask


@pytest.fixture
def folder(tmp_path):
    """Masks of five depths and three ratios, none square."""
    root = tmp_path / "masks"
    (root / "deep").mkdir(parents=True)
    thin = np.zeros((100, 140), np.uint8)
    thin[:, ::20] = 255
    cv2.imwrite(str(root / "thin.png"), thin)
    cv2.imwrite(str(root / "sixteen.png"), disc((120, 90), 30).astype(np.uint16) * 257)
    Image.fromarray(disc((120, 90), 30)).convert("1").save(root / "one bit.png")
    cv2.imwrite(str(root / "deep" / "large.jpg"), disc((90, 120), 44))
    rgba = np.dstack([np.zeros((90, 90, 3), np.uint8), 255 - disc((90, 90), 20)])
    cv2.imwrite(str(root / "clear.png"), rgba)  # black; a hole in the alpha channel alone
    return root


def test_masks_are_read_whatever_their_depth_and_binned(folder):
    masks = read_mask_files(folder)
    assert masks.names == ("deep/large.jpg", "one bit.png", "sixteen.png", "thin.png")
    assert masks.skipped == ("clear.png: marks nothing",)
    assert np.array_equal(masks[1], disc((120, 90), 30) > 0)
    assert np.array_equal(masks[1], masks[2])
    ratios = [[float(masks[i].mean()) for i in numbers] for numbers in masks.bins]
    assert sorted(i for numbers in masks.bins for i in numbers) == [0, 1, 2, 3]
    for several in ratios:
        edges = {int(np.searchsorted(BINS, ratio, side="right")) for ratio in several}
        assert len(edges) == 1
    assert len(ratios) == 3


def test_polarity(folder):
    assert np.array_equal(read_mask_files(folder, polarity="black")[1], ~read_mask_files(folder)[1])
    assert read_mask_files(folder, polarity="alpha").names == ("clear.png",)
    with pytest.raises(UsageError, match="mask_polarity must be one of white, black, alpha"):
        read_mask_files(folder, polarity="grey")


def test_bins_are_drawn_evenly_and_holes_fit(folder):
    masks = read_mask_files(folder)
    holes = [masks.draw(48, np.random.default_rng(i)) for i in range(200)]
    assert all(h.shape == (48, 48) and h.dtype == np.bool_ and 0 < h.mean() <= 0.95 for h in holes)
    thin = np.mean([h.mean() < 0.15 for h in holes])
    assert 0.2 < thin < 0.5  # one mask of four, but one bin of three
    again = masks.draw(48, np.random.default_rng(7))
    assert np.array_equal(again, holes[7])


def test_a_hairline_in_a_large_mask_is_not_lost(tmp_path):
    mask = np.zeros((1000, 1000), np.uint8)
    mask[:, 501] = 255
    cv2.imwrite(str(tmp_path / "hair.png"), mask)
    masks = read_mask_files(tmp_path)
    assert all(masks.draw(16, np.random.default_rng(i)).any() for i in range(40))


def test_beside_pictures_the_masks_alone_are_taken(tmp_path):
    for name in ("x.png", "x_mask001.png", "x_mask002.png"):
        cv2.imwrite(str(tmp_path / name), disc((64, 64), 12))
    assert read_mask_files(tmp_path).names == ("x_mask001.png", "x_mask002.png")


def test_outlines_of_coco_are_holes(tmp_path):
    facts = {
        "images": [{"id": 1, "file_name": "1.jpg"}],
        "categories": [{"id": 1, "name": "box"}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "bbox": [300, 200, 40, 20], "iscrowd": 0,
             "segmentation": [[300, 200, 340, 200, 340, 220, 300, 220]]},
            {"image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4], "iscrowd": 0,
             "segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]]},
        ],
    }  # fmt: skip
    path = tmp_path / "instances_val2017.json"
    path.write_text(json.dumps(facts))
    masks = read_mask_files(path)
    assert masks.names == ("1.jpg#0",)
    assert masks[0].shape == (60, 60)
    assert masks[0][20:40, 10:50].all()
    assert masks[0].sum() == 800


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no mask .no picture files"),
        ({"a.png": b"junk", "b.png": b""}, r"2 files were no use, the first a\.png: cannot be decoded"),
    ],
)
def test_folders_without_masks(tmp_path, files, said):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(MaskError, match=said):
        read_mask_files(tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        read_mask_files(tmp_path / "nowhere")


def test_samples_take_their_holes_from_files_by_share(photos, folder):
    pictures = read_pictures([photos], least_px=64)
    data = Data(
        crop_px=64, masks=str(folder), mask_share=0.5, centre=0.5, thin=0, free_form=0, box=0, large=0
    )
    sampler = Sampler.of(pictures, data, 0)
    samples = [sampler(i) for i in range(120)]
    groups = [s.group for s in samples]
    assert set(groups) == {"files", "centre"}
    assert 40 < groups.count("files") < 80
    middle = np.zeros((64, 64), bool)
    middle[16:48, 16:48] = True
    assert all(np.array_equal(s.hole, middle) for s in samples if s.group == "centre")


def test_mask_files_leave_the_generators_draws_alone_where_there_are_none(photos):
    pictures = read_pictures([photos], least_px=64)
    data = Data(crop_px=64)
    one, two = Sampler.of(pictures, data, 3), Sampler(pictures, data, 3, MaskBank(3))
    assert all(np.array_equal(one(i).image, two(i).image) for i in range(6))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"grey": 1.5}, "data.grey is a share"),
        ({"thin": -1.0}, "are 0 or more"),
        ({"thin": 0.0, "free_form": 0.0, "box": 0.0, "large": 0.0}, "one is more"),
        ({"scale_from": 0.0}, "data.scale_from is a factor"),
        ({"masks": "nowhere"}, "data.masks=nowhere is no folder"),
    ],
)
def test_settings_that_cannot_be_meant(photos, settings, said):
    pictures = read_pictures([photos], least_px=64)
    with pytest.raises(UsageError, match=said):
        Sampler.of(pictures, Data(**settings), 0)
