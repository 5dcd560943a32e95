"""Noise, JPEG and blur as damage: the worn picture in, the clean one wanted, for every net."""

import importlib.util

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

import remend  # noqa: E402
from remend.errors import UsageError  # noqa: E402
from remend.export import export  # noqa: E402
from remend.fill.model_card import Card  # noqa: E402
from remend.nets.registry import NETS, build  # noqa: E402
from remend.train.config import Recipe, as_dict, digest, from_dict, override  # noqa: E402
from remend.train.data.loader import Batch  # noqa: E402
from remend.train.machine.devices import start  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run import loop  # noqa: E402
from remend.train.run.step import Learner  # noqa: E402
from remend.train.wear.names import ranges_of  # noqa: E402
from remend.train.wear.spec import WornAs, seeds_of  # noqa: E402
from tiny_nets import TINY  # noqa: E402

ALL = "noise:5-50,jpeg:20-90,blur:0-2"
DATA = {"crop_px": 64, "validation_px": 64, "damage": ALL}
PLAN = {"samples": 24, "batch": 4, "warmup": 4, "log_every": 8, "validate_every": 12, "loaders": 1}


def recipe_of(net="remend", sections=None, **train):
    return from_dict(
        {"net": net, "options": TINY[net], "data": DATA, "loss": {"perceptual": 0.0}, "train": PLAN | train}
        | (sections or {})
    )


def clean(count=4, side=64):
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(count, 3, 6, 6, generator=generator)
    return torch.nn.functional.interpolate(small, size=(side, side), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("noise:5-50,fog:1", "names each of blur, noise, jpeg once"),
        ("noise:5,noise:6", "names each of blur, noise, jpeg once"),
        ("noise:x", "is no range: write noise:0-255"),
        ("jpeg:0-90", "lies outside of 1 to 100"),
        ("noise:50-5", "lies outside of 0 to 255"),
    ],
)
def test_a_range_that_cannot_be_meant_is_one_clear_line(text, said):
    with pytest.raises(UsageError, match=said):
        override(Recipe("unet"), [f"data.damage={text}"])


def test_a_recipe_with_wear_shows_the_net_what_lies_under_the_hole():
    recipe = recipe_of()
    assert recipe.options["sees_hole"] is True
    assert from_dict(as_dict(recipe)) == recipe
    assert "sees_hole" not in override(recipe, ["data.damage="]).options
    assert ranges_of("C:/masks,old") == {}
    assert digest(recipe) != digest(override(recipe, ["data.damage=noise:5-51"]))


def test_each_kind_does_what_it_says_to_a_picture():
    picture = clean(8)
    seeds = list(range(8))
    noise = (WornAs.of("noise:20")(picture, seeds) - picture) * 255
    assert noise.std(dim=(1, 2, 3)).mean() == pytest.approx(20, rel=0.15)  # what clips, and rounds, is less
    soft = WornAs.of("blur:2")(picture, seeds)
    detail = [p.diff(dim=3).abs().mean() for p in (soft, picture)]
    assert detail[0] < 0.95 * detail[1]
    errors = [
        (WornAs.of(f"jpeg:{quality}")(picture, seeds) - picture).square().mean() for quality in (10, 50, 90)
    ]
    assert errors[0] > errors[1] > errors[2] > 0
    levels = WornAs.of(ALL)(picture, seeds) * 255
    assert torch.equal(levels.round() / 255, WornAs.of(ALL)(picture, seeds))


def test_what_a_sample_gets_does_not_depend_on_its_batch():
    worn, picture = WornAs.of(ALL), clean(8)
    whole = worn(picture, seeds_of(3, range(8)))
    assert torch.equal(whole[1::2], worn(picture[1::2], seeds_of(3, range(1, 8, 2))))
    assert not torch.equal(whole, worn(picture, seeds_of(4, range(8))))


@pytest.mark.parametrize("net", NETS)
def test_every_net_learns_to_make_worn_pictures_clean(net, tmp_path):
    recipe = recipe_of(net, lr=2e-3, warmup=0)
    if net == "edge_connect":
        recipe = override(recipe, ["options.stage=edges"])
    torch.manual_seed(0)
    learner = Learner(recipe, start(Run(recipe, (), tmp_path, precision="32-true", accelerator="cpu")))
    picture = clean()
    batch = Batch(torch.zeros_like(picture), picture, torch.ones(4, 1, 64, 64), 0, 4)
    losses = [float(learner.step(batch, 0)["hole"]) for _ in range(12)]
    assert np.isfinite(losses).all()
    assert min(losses[1:]) < losses[0]


def test_what_is_shown_under_the_hole_is_read_and_what_is_around_it_stays():
    net = build("remend", TINY["remend"] | {"sees_hole": True}).eval()
    picture, hole = clean(1), torch.zeros(1, 1, 64, 64)
    hole[:, :, 16:48, 16:48] = 1
    filled = net(picture, hole)[0]
    assert torch.equal(filled, picture)  # a residual that begins at nothing: all is as it was shown
    assert not torch.equal(net(1 - picture, hole)[0][:, :, 16:48, 16:48], filled[:, :, 16:48, 16:48])


def test_validation_looks_at_each_kind_and_begins_at_what_is_shown(photos, tmp_path):
    said = []
    asked = Run(recipe_of(), (photos,), tmp_path / "run", False, 1, "32-true", "cpu", say=said.append)
    scores = loop.train(asked).scores
    assert any(line.startswith("as shown    psnr") for line in said)
    assert {"psnr", "psnr_noise", "psnr_jpeg", "psnr_blur"} <= set(scores)


def test_a_net_that_makes_clean_does_so_through_the_product(photos, tmp_path):
    recipe = recipe_of("unet", {"data": DATA | {"damage": "noise:25"}}, samples=8, validate_every=8)
    loop.train(Run(recipe, (photos,), tmp_path / "run", False, 1, "32-true", "cpu", say=lambda line: None))
    made = export(tmp_path / "run", tmp_path / "denoise.onnx")
    assert Card.beside(made.model).sees_hole
    picture = cv2.imread(str(photos / "03.png"))[..., ::-1].copy()
    rng = np.random.default_rng(0)
    noisy = np.clip(picture + rng.normal(0, 25, picture.shape), 0, 255).astype(np.uint8)
    everywhere = np.ones(picture.shape[:2], bool)
    answer = remend.repair(noisy, everywhere, method=str(made.model))
    # A U-Net of eight crops hardly changes anything yet: what it was shown is what comes out, not a hole.
    assert np.abs(answer.astype(int) - noisy).mean() < 3
    part = np.zeros_like(everywhere)
    part[20:50, 20:60] = True
    answer = remend.repair(noisy, part, method=str(made.model))
    assert np.array_equal(answer[~part], noisy[~part])
    assert np.abs(answer[part].astype(int) - noisy[part]).mean() < 3
