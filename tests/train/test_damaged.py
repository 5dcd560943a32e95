import importlib.util

import cv2
import numpy as np
import pytest

from made_damage import worn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.train.config import Data, from_dict  # noqa: E402
from remend.train.data.damaged import Damage, blanked  # noqa: E402
from remend.train.data.loader import collate  # noqa: E402
from remend.train.data.pictures import read_pictures  # noqa: E402
from remend.train.data.samples import Sampler, validation_samples  # noqa: E402
from remend.train.loss.ignored import mask_damaged  # noqa: E402
from remend.train.loss.reconstruction import Criterion  # noqa: E402

DATA = Data(crop_px=48, validation_px=48, thin=0.0, large=0.0, grey=0.5, jpeg=0.5, grain=0.5)


@pytest.fixture
def masks(tmp_path, photos):
    """A mask for each picture but the first: a blot and a line, over a tenth of the picture."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for index, path in enumerate(sorted(photos.glob("*.png"))[1:]):
        mask = np.zeros((80, 96), np.uint8)
        cv2.circle(mask, (20 + 5 * index, 40), 14, 255, -1)
        mask[:, 70:73] = 255
        cv2.imwrite(str(folder / path.name), mask)
    return folder


def sampler_of(photos, masks, **data):
    from dataclasses import replace

    pictures = read_pictures([photos], least_px=48)
    return Sampler.of(pictures, replace(DATA, damage=str(masks), **data), 0)


def test_nothing_of_the_damage_comes_through_whatever_it_looks_like(photos, masks):
    before = [sampler_of(photos, masks)(index) for index in range(40)]
    rng = np.random.default_rng(0)
    for path in sorted(photos.glob("*.png"))[1:]:
        picture, bad = cv2.imread(str(path)), cv2.imread(str(masks / path.name), cv2.IMREAD_GRAYSCALE) > 0
        picture[bad] = rng.integers(0, 256, (int(bad.sum()), 3))
        cv2.imwrite(str(path), picture)
    after = [sampler_of(photos, masks)(index) for index in range(40)]
    assert sum(sample.damage.any() for sample in before) > 20
    for one, other in zip(before, after, strict=True):
        for name in ("image", "target", "hole", "damage"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        assert not one.target[one.damage].any()
        assert not one.image[one.damage].any()
        assert not (one.hole & one.damage).any()


def test_losses_and_gradients_do_not_look_at_damaged_pixels(photos, masks):
    sampler = sampler_of(photos, masks)
    batch = collate([sampler(index) for index in (1, 2, 5, 7)])
    torch.manual_seed(0)
    net = build("remend", {"widths": (8, 8, 8), "dilations": (1,)}).train()
    criterion = Criterion.of(
        from_dict(
            {
                "net": "remend",
                "loss": {"perceptual": 0.0, "valid": 1.0, "tv": 0.1, "edge": 0.5, "hole_l2": 1.0},
            }
        ).loss
    )
    shown = batch.shown()
    assert torch.equal(shown.hole, ((batch.hole + batch.damage) > 0).float())

    def learned(target):
        given = type(batch)(batch.image, target, batch.hole, 0, 4, batch.damage)
        filled, raw = net(shown.image, shown.hole)
        same, filled, raw_same, _ = mask_damaged(given, filled, raw, [])
        total = criterion(filled, raw_same, same.target, same.hole)["total"]
        (gradient,) = torch.autograd.grad(total, raw)
        return float(total.detach()), gradient

    value, gradient = learned(batch.target)
    assert value > 0
    assert float(gradient.abs().sum()) > 0
    assert not gradient[batch.damage.expand_as(gradient) > 0.5].any()
    other = torch.where(batch.damage > 0.5, torch.rand_like(batch.target), batch.target)
    assert learned(other)[0] == value


def test_without_the_option_samples_are_what_they_were(photos):
    sample = sampler_of(photos, "")(3)
    assert sample.damage is None
    assert collate([sample]).damage is None
    assert collate([sample]).shown().hole is not None


def test_validation_measures_what_is_known(photos, masks):
    pictures = read_pictures([photos], least_px=48)
    damage = Damage.of(str(masks), pictures.names)
    samples = validation_samples(pictures, 48, damage=damage)
    assert len(samples) >= 10
    assert not any((s.hole & s.damage).any() for s in samples)
    assert any(s.damage.any() for s in samples)


def test_damage_is_found_where_no_mask_says_it():
    picture, truth = worn()
    damage = Damage.of("find", ["a/b.png"])
    mask = damage("a/b.png", picture)
    assert mask[truth].mean() > 0.5 and mask.mean() < 0.2
    assert damage("a/b.png", np.zeros_like(picture)).sum() == mask.sum()  # kept, not looked for again


def test_a_crop_that_is_all_damage_is_grey_and_others_get_their_mean():
    crop = np.full((4, 4, 3), 200, np.uint8)
    assert (blanked(crop, np.ones((4, 4), np.bool_)) == 128).all()
    half = np.zeros((4, 4), np.bool_)
    half[:2] = True
    crop[:2] = 7
    assert (blanked(crop, half) == 200).all()


def test_masks_that_cannot_be_meant(tmp_path, photos, masks):
    pictures = read_pictures([photos], least_px=48)
    with pytest.raises(UsageError, match="is no folder: give find"):
        Damage.of(str(tmp_path / "no"), pictures.names)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="called like a picture"):
        Damage.of(str(tmp_path / "empty"), pictures.names)
    cv2.imwrite(str(masks / "01.png"), np.zeros((10, 10), np.uint8))
    damage = Damage.of(str(masks), pictures.names)
    with pytest.raises(UsageError, match="is 10×10, its picture 96×80"):
        damage(pictures.names[1], pictures[1])


@pytest.mark.skipif(importlib.util.find_spec("lightning") is None, reason="Lightning is not installed")
def test_a_run_learns_with_a_critic_from_damaged_pictures_alone(photos, masks, tmp_path):
    from remend.train.request import Run
    from remend.train.run import loop

    recipe = from_dict(
        {
            "net": "remend",
            "options": {"widths": [8, 8, 8], "dilations": [1]},
            "data": {"crop_px": 48, "validation_px": 48, "thin": 0.0, "large": 0.0, "damage": str(masks)},
            "loss": {"perceptual": 0.0},
            "critic": {"name": "patch", "options": {"width": 4, "layers": 2}, "balance": 0.5},
            "train": {"samples": 16, "batch": 4, "warmup": 4, "log_every": 4, "loaders": 1},
        }
    )
    said = []
    run = Run(recipe, (photos,), tmp_path / "run", precision="32-true", accelerator="cpu", say=said.append)
    outcome = loop.train(run)
    assert outcome.samples_seen == 16
    assert np.isfinite(outcome.scores["psnr"])
    assert str(masks) not in (tmp_path / "run" / "best.json").read_text()
