"""The restorer's training: what it is shown, that a run goes on, stops in time and is exported."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from remend.errors import ModelError, UsageError
from remend.nets.restorer import Restorer
from remend.nets.weights.portable import load_portable, save_portable
from remend.restoration.net import change_of
from remend.train.restorer.export import export_restorer
from remend.train.restorer.loop import train_restorer
from remend.train.restorer.recipe import RestorerRecipe, fast_dev, load_restorer, recipe_of
from remend.train.restorer.sampler import Sampler
from remend.train.restorer.validation import fixed_pairs, validate
from remend.train.restorer.wear import Wear, clean_crop, noisy


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(12):
        rough = rng.integers(0, 255, (12, 14, 3), dtype=np.uint8)
        Image.fromarray(rough).resize((140, 120), Image.Resampling.BICUBIC).save(folder / f"{k}.png")
    return folder


def test_a_new_net_changes_nothing():
    image = torch.rand(2, 3, 24, 40)
    net = Restorer().eval()
    with torch.inference_mode():
        assert torch.equal(net(image), torch.zeros_like(image))
    assert sum(p.numel() for p in net.parameters()) < 2_500_000


def test_the_same_number_gives_the_same_pair():
    picture = np.random.default_rng(0).integers(0, 255, (150, 160, 3), dtype=np.uint8)
    one, other = (Sampler([picture], 64, 3) for _ in range(2))
    for number in range(30):
        for a, b in zip(one.sample(number), other.sample(number), strict=True):
            assert a.shape == (64, 64, 3) and a.dtype == np.uint8
            assert np.array_equal(a, b)


def test_noise_is_as_strong_as_it_says():
    grey = np.full((200, 200, 3), 127, np.uint8)
    rng = np.random.default_rng(0)
    found = [noisy(grey, 20, rng).astype(float).std() for _ in range(40)]
    assert np.median(found) == pytest.approx(20, rel=0.05)
    assert max(found) < 26 and min(found) > 15


def test_some_pairs_are_clean_and_crops_of_small_pictures_fit():
    small = np.random.default_rng(0).integers(0, 255, (70, 90, 3), dtype=np.uint8)
    rng = np.random.default_rng(1)
    assert clean_crop(small, 80, rng, Wear()).shape == (80, 80, 3)
    pairs = [Sampler([small], 32, 0).sample(k) for k in range(120)]
    alike = sum(np.array_equal(*pair) for pair in pairs)
    assert 1 <= alike <= 24


def test_a_run_goes_on_where_it_stood(pictures, tmp_path):
    recipe = fast_dev(load_restorer("restorer"))
    out = tmp_path / "run"
    half = dataclasses.replace(recipe, samples=recipe.samples // 2)
    train_restorer(half, [pictures], out, workers=0, say=lambda line: None)
    said = []
    best = train_restorer(recipe, [pictures], out, workers=0, resume=True, say=said.append)
    assert f"goes on at {half.samples:,} samples" in said
    tensors, state = load_portable(best)
    assert state["samples_seen"] >= recipe.samples
    assert all(torch.isfinite(value).all() for value in tensors.values())
    with (out / "validation.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert float(rows[-1]["noise_50"]) > 5 and "clean_levels" in rows[-1]


def test_a_run_stops_in_time(pictures, tmp_path):
    recipe = dataclasses.replace(fast_dev(RestorerRecipe()), minutes=0.02)
    train_restorer(recipe, [pictures], tmp_path / "run", workers=0, say=lambda line: None)
    state = load_portable(tmp_path / "run" / "state.safetensors")[1]
    assert 1.2 <= state["spent_s"] < 20


def test_validation_counts_decibels():
    net = Restorer().eval()
    image = np.random.default_rng(0).integers(60, 190, (64, 64, 3), dtype=np.uint8)
    row = validate(net, fixed_pairs([image, image[::-1]]))
    assert row["clean_levels"] < 1e-3
    assert row["noise_25"] == pytest.approx(20 * np.log10(255 / 25), abs=0.2)
    assert row["jpeg_10_gain"] == pytest.approx(0, abs=1e-3)


def test_export_answers_what_the_net_does(tmp_path):
    torch.manual_seed(0)
    net = Restorer()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    told = {"net": "restorer", "samples_seen": 8, "recipe": dataclasses.asdict(RestorerRecipe())}
    save_portable(tmp_path / "best.safetensors", net.state_dict(), told)
    target = export_restorer(tmp_path, tmp_path / "restore.onnx", licence="CC0")
    card = json.loads(target.with_suffix(".json").read_text())
    assert card["licence"] == "CC0" and card["parameters"] == sum(p.numel() for p in net.parameters())
    window = np.random.default_rng(0).random((21, 34, 3), np.float32)
    assert np.abs(change_of(window, weights=target)).max() > 0
    with pytest.raises(UsageError, match="exists"):
        export_restorer(tmp_path, target)
    target.write_bytes(target.read_bytes() + b"\0")
    change_of.__globals__["_session"].cache_clear()
    with pytest.raises(ModelError, match="SHA-256"):
        change_of(window, weights=target)


def test_recipes_say_what_they_do_not_have():
    with pytest.raises(UsageError, match=r"no wear\.fog"):
        load_restorer("restorer", ["wear.fog=1"])
    with pytest.raises(UsageError, match="multiple of 8"):
        recipe_of({"stage": [{"share": 1.0, "crop_px": 20}]})
    with pytest.raises(UsageError, match="lr is a float"):
        load_restorer("restorer", ["lr=fast"])
