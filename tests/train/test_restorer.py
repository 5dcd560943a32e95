"""The restorer's training: what it is shown, that a run goes on, stops in time and is exported."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from remend.errors import ModelError, UsageError
from remend.nets.enlarger import Enlarger
from remend.nets.restorer import Restorer
from remend.nets.weights.portable import load_portable, save_portable
from remend.restoration.net import change_of
from remend.train.restorer.export import export_restorer
from remend.train.restorer.loop import train_restorer
from remend.train.restorer.recipe import RestorerRecipe, fast_dev, load_restorer, recipe_of
from remend.train.restorer.sampler import Sampler
from remend.train.restorer.validation import fixed_pairs, halved_pairs, jpeg, validate
from remend.train.restorer.wear import Wear, worn
from remend.train.wear.chance import Chance
from remend.train.wear.jpeg import compressed
from remend.train.wear.noise import noisy

CPU = torch.device("cpu")


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
    assert sum(p.numel() for p in net.parameters()) < 3_000_000


def test_a_new_enlarger_answers_what_pillow_does():
    # Pillow cuts off between rows and columns what is beyond 0 and 255, so nothing may be.
    image = np.random.default_rng(0).integers(80, 170, (24, 30, 3), dtype=np.uint8)
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        found = 255 * Enlarger().eval()(planes)[0].permute(1, 2, 0).numpy()
    wanted = np.asarray(Image.fromarray(image).resize((60, 48), Image.Resampling.BICUBIC), float)
    inner = np.s_[6:-6, 6:-6]  # beyond the edge Pillow counts fewer pixels
    assert np.abs(np.clip(found, 0, 255) - wanted)[inner].max() < 1.01


def test_the_same_number_gives_the_same_batch():
    picture = np.random.default_rng(0).integers(0, 255, (150, 160, 3), dtype=np.uint8)
    one, other = (Sampler([picture], 3, Wear()) for _ in range(2))
    for a, b in zip(one.batch(17, 9, 64), other.batch(17, 9, 64), strict=True):
        assert a.shape == (9, 3, 64, 64) and a.dtype == torch.uint8
        assert torch.equal(a, b)
    assert not torch.equal(one.batch(18, 9, 64)[0], one.batch(17, 9, 64)[0])


def test_noise_is_as_strong_as_it_says():
    grey = torch.full((80, 3, 96, 96), 127.0)
    found = noisy(grey, torch.full((80,), 20.0), Chance(0, 0, CPU)).flatten(1).std(dim=1)
    assert float(found.median()) == pytest.approx(20, rel=0.05)
    assert float(found.max()) < 26 and float(found.min()) > 15


def test_settings_may_be_whole_numbers():
    clean = torch.full((8, 3, 32, 32), 128.0)
    whole, real = (worn(clean, Chance(0, 0, CPU), Wear(most_sigma=most), 0.0) for most in (40, 40.0))
    assert torch.equal(whole, real)


def test_some_pairs_are_clean_and_crops_of_small_pictures_fit():
    small = np.random.default_rng(0).integers(0, 255, (70, 90, 3), dtype=np.uint8)
    clean, shown = Sampler([small], 0, Wear()).batch(0, 120, 64)
    alike = int((clean == shown).flatten(1).all(dim=1).sum())
    assert 1 <= alike <= 24


def test_what_is_halved_shows_the_same_place():
    rough = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(rough).resize((240, 200), Image.Resampling.BICUBIC))
    clean, shown = Sampler([smooth], 0, Wear(blur=0, blocks=0), halved=True).batch(0, 16, 64)
    assert shown.shape == (16, 3, 32, 32)
    means = torch.nn.functional.avg_pool2d(clean.float(), 2)
    assert float((means - shown.float()).abs().mean()) < 1.5


def test_blocks_are_those_of_a_jpeg():
    rough = np.random.default_rng(0).integers(0, 255, (12, 14, 3), dtype=np.uint8)
    crop = np.asarray(Image.fromarray(rough).resize((96, 64), Image.Resampling.BICUBIC))
    planes = torch.from_numpy(crop.copy()).permute(2, 0, 1)[None].float()
    for quality in (10, 50, 90):
        for halved in (True, False):
            wanted = jpeg(crop, quality, halved=halved).astype(float)
            found = compressed(planes, torch.tensor([float(quality)]), torch.tensor([halved]))
            difference = np.abs(found[0].permute(1, 2, 0).numpy() - wanted)
            # Sums that lie between two steps of the table are rounded either way, a block each.
            assert difference.mean() < 0.05 * np.abs(crop - wanted).mean() + 0.8


def test_decibels_can_be_learned_by_and_threads_are_left_as_they_are(pictures, tmp_path):
    recipe = fast_dev(load_restorer("restorer", ["loss=decibels"]))
    threads = torch.get_num_threads()
    train_restorer(recipe, [pictures], tmp_path / "run", say=lambda line: None)
    assert torch.get_num_threads() == threads
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    # A clean crop that stays clean has an error of nothing, which counts as a level.
    assert all(-48.2 < float(row["loss_db"]) < 0 for row in rows)
    with pytest.raises(UsageError, match="loss is one of levels, decibels, got 'psnr'"):
        load_restorer("restorer", ["loss=psnr"])


def test_a_run_goes_on_where_it_stood(pictures, tmp_path):
    recipe = fast_dev(load_restorer("restorer"))
    out = tmp_path / "run"
    half = dataclasses.replace(recipe, samples=recipe.samples // 2)
    train_restorer(half, [pictures], out, say=lambda line: None)
    said = []
    best = train_restorer(recipe, [pictures], out, resume=True, say=said.append)
    assert f"goes on at {half.samples:,} samples" in said
    tensors, state = load_portable(best)
    assert state["samples_seen"] >= recipe.samples
    assert all(torch.isfinite(value).all() for value in tensors.values())
    with (out / "validation.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert float(rows[-1]["noise_50"]) > 5 and "clean_levels" in rows[-1]


def test_an_enlarger_is_trained_and_exported(pictures, tmp_path):
    recipe = fast_dev(load_restorer("enlarger"))
    best = train_restorer(recipe, [pictures], tmp_path / "run", say=lambda line: None)
    state = load_portable(best)[1]
    assert state["net"] == "enlarger" and state["scores"]["twice"] > 10
    target = export_restorer(best, tmp_path / "enlarge.onnx", sources=[pictures])
    card = json.loads(target.with_suffix(".json").read_text())
    assert card["architecture"] == "enlarger" and card["lost_by_8_bits"] < 1
    assert len(target.read_bytes()) < 0.6 * len(export_half(best, tmp_path))


def export_half(best, folder):
    return export_restorer(best, folder / "half.onnx").read_bytes()


def test_a_run_stops_in_time(pictures, tmp_path):
    recipe = dataclasses.replace(fast_dev(RestorerRecipe()), minutes=0.02)
    train_restorer(recipe, [pictures], tmp_path / "run", say=lambda line: None)
    state = load_portable(tmp_path / "run" / "state.safetensors")[1]
    assert 1.2 <= state["spent_s"] < 20


def test_validation_counts_decibels():
    net = Restorer().eval()
    image = np.random.default_rng(0).integers(60, 190, (64, 64, 3), dtype=np.uint8)
    row = validate(net, fixed_pairs([image, image[::-1]]))
    assert row["clean_levels"] < 1e-3
    assert row["noise_25"] == pytest.approx(20 * np.log10(255 / 25), abs=0.2)
    assert row["jpeg_10_gain"] == pytest.approx(0, abs=1e-3)
    row = validate(Enlarger().eval(), halved_pairs([image, image[::-1]]))
    assert row["twice_gain"] == pytest.approx(0, abs=1e-3)


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
    change_of.__globals__["session_of"].cache_clear()
    with pytest.raises(ModelError, match="SHA-256"):
        change_of(window, weights=target)


def test_recipes_say_what_they_do_not_have():
    with pytest.raises(UsageError, match=r"no wear\.fog"):
        load_restorer("restorer", ["wear.fog=1"])
    with pytest.raises(UsageError, match="multiple of 16"):
        recipe_of({"stage": [{"share": 1.0, "crop_px": 20}]})
    with pytest.raises(UsageError, match="lr is a float"):
        load_restorer("restorer", ["lr=fast"])
