"""The finder's training: what it is shown, what it is taught by, and that a run goes on and is exported."""

import dataclasses
import gzip
import json
import time

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from remend.damage.chances import PLANES, chances_of
from remend.damage.perceptron import perceptron_from
from remend.damage.signs import SIGNS
from remend.errors import UsageError
from remend.nets.finder import CLASSES, DAMAGE, Finder
from remend.nets.weights.portable import load_portable, save_portable
from remend.runtime import open_plain_session
from remend.train.finder.crops import IGNORED, Ageing, lay, weathered
from remend.train.finder.export import export_finder, finder_onnx
from remend.train.finder.loop import train_finder
from remend.train.finder.loss import loss_of
from remend.train.finder.maps import Map, Outlines, draw_map
from remend.train.finder.recipe import FinderRecipe, Stage, fast_dev, load_finder
from remend.train.finder.sampler import Mix, Sampler

SQUARE = [[0, 0], [40, 0], [40, 40], [0, 40]]


@pytest.fixture
def outlines(tmp_path):
    path = tmp_path / "shapes.jsonl.gz"
    labels = ("dust", "long-hair", "scratch", "dirt")
    lines = [
        json.dumps(
            {"scan": 1, "label": labels[k % 4], "points": [[x + 50 * k, y + 31 * k] for x, y in SQUARE]}
        )
        for k in range(40)
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def mark(value=255, *, tone=0, label=2, size=96):
    """A map with a square in the middle."""
    opacity = np.zeros((size, size), np.uint8)
    opacity[size // 2 - 6 : size // 2 + 6, size // 2 - 6 : size // 2 + 6] = value
    return Map(
        opacity,
        np.where(opacity > 0, label, 0).astype(np.uint8),
        np.full_like(opacity, tone),
        np.zeros((1, 3), np.uint8),
    )


def test_the_nets_answer_has_the_pictures_size_and_a_class_for_each_plane():
    net = Finder().eval()
    with torch.inference_mode():
        answer = net(torch.rand(2, 3, 64, 96))
    assert answer.shape == (2, len(CLASSES), 64, 96)
    assert CLASSES[1:] == PLANES and CLASSES[DAMAGE] == PLANES[:4]


def test_what_is_laid_is_labelled_where_it_is_seen_and_nowhere_else():
    rng = np.random.default_rng(0)
    crop, label = np.full((96, 96, 3), 90, np.uint8), np.zeros((96, 96), np.uint8)
    shown = lay(crop, label, [mark(tone=0)], rng)
    changed = np.abs(shown.astype(int) - 90).max(axis=2)
    assert (label[changed >= 12] == 2).all() and (label[changed < 3] == 0).all()
    assert (changed >= 12).sum() == 144 and (crop == 90).all()


def test_what_is_hardly_seen_is_ignored():
    rng = np.random.default_rng(0)
    crop, label = np.full((96, 96, 3), 90, np.uint8), np.zeros((96, 96), np.uint8)
    shown = lay(crop, label, [mark(10, tone=0)], rng)
    changed = np.abs(shown.astype(int) - 90).max(axis=2)
    assert set(np.unique(label)) <= {0, IGNORED} and (label[(changed >= 3)] == IGNORED).all()


@pytest.mark.parametrize(
    "kind", ["film", "scatter", "wide", "scratches", "transport", "tears", "text", "stains"]
)
def test_a_map_is_a_function_of_its_seed_and_labels_what_it_draws(kind, outlines):
    one, other = (
        draw_map(96, rng=np.random.default_rng(4), outlines=Outlines(outlines), only=kind) for _ in range(2)
    )
    assert np.array_equal(one.opacity, other.opacity) and np.array_equal(one.label, other.label)
    assert (one.label[one.opacity > 8] > 0).all() and one.label.max(initial=0) < len(CLASSES)


def test_outlines_are_drawn_at_their_size(outlines):
    """A square of 40 px at half scale covers 400 pixels, whatever the edge."""
    from remend.train.finder.maps import _Canvas

    canvas = _Canvas(96, np.random.default_rng(0))
    canvas.least, canvas.edge_px = 1.0, 0.4
    canvas.lay(np.asarray(SQUARE, np.float32) * 0.5 + 30, 1)
    assert canvas.done().opacity.sum() / 255 == pytest.approx(400, rel=0.06)


def test_a_sample_is_a_function_of_its_number():
    pictures = [np.random.default_rng(k).integers(0, 255, (80, 90, 3), np.uint8) for k in range(3)]
    sampler = Sampler(pictures, [mark(size=160)], 64, 1)
    for number in range(6):
        (crop, label), (again, told) = sampler.sample(number), sampler.sample(number)
        assert np.array_equal(crop, again) and np.array_equal(label, told)
    assert not sampler.sample(3, clean=True)[1].any()


def test_shares_of_the_mix_are_kept():
    pictures = [np.full((80, 80, 3), 128, np.uint8)]
    sampler = Sampler(pictures, [mark(size=160)], 64, 1, mix=Mix(damaged=1.0, graphic=0.0, scene=0.0))
    assert np.mean([sampler.sample(k)[1].any() for k in range(20)]) > 0.9
    none = Sampler(pictures, [mark(size=160)], 64, 1, mix=Mix(damaged=0.0, graphic=0.0, scene=0.0))
    assert not any(none.sample(k)[1].any() for k in range(20))


def test_weathering_keeps_the_size_and_leaves_the_crop_alone():
    crop = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    kept = crop.copy()
    for seed in range(4):
        assert (
            weathered(crop, np.random.default_rng(seed), Ageing(blurred=1, noisy=1, jpeg=1)).shape
            == crop.shape
        )
    assert np.array_equal(crop, kept)


def test_the_loss_falls_with_the_right_answer_and_does_not_count_what_is_ignored():
    label = torch.zeros(2, 64, 64, dtype=torch.long)
    label[:, 10:20, 10:20] = 2
    right = 8 * torch.nn.functional.one_hot(label, len(CLASSES)).permute(0, 3, 1, 2).float()
    wrong = 8 * torch.nn.functional.one_hot(2 - label, len(CLASSES)).permute(0, 3, 1, 2).float()
    assert (
        loss_of(right, label, evenness=0.5)[1]["loss"] < 0.1 < loss_of(wrong, label, evenness=0.5)[1]["loss"]
    )
    blank = torch.full_like(label, IGNORED)
    logits = torch.randn(2, len(CLASSES), 64, 64, requires_grad=True)
    loss_of(logits, blank, evenness=0.5)[0].backward()
    assert logits.grad.abs().max() == 0


def test_evenness_gives_a_speck_the_weight_of_a_wide_mark():
    label = torch.zeros(1, 128, 128, dtype=torch.long)
    label[:, 8:10, 8:10], label[:, 64:, 64:] = 2, 4

    def share(evenness):
        logits = torch.zeros(1, len(CLASSES), 128, 128, requires_grad=True)
        loss_of(logits, label, evenness=evenness)[0].backward()
        gradient = logits.grad.abs().sum(dim=1)[0]
        return float(gradient[8:10, 8:10].mean() / gradient[100:, 100:].mean())

    assert share(0.0) == pytest.approx(1.0, rel=0.01) and share(0.9) > 8


def test_recipes_are_read_checked_and_overridden():
    recipe = load_finder("damage", ["lr=5e-4", "mix.scene=0.2"])
    assert recipe.lr == 5e-4 and recipe.mix.scene == 0.2 and len(recipe.stage) == 3
    assert recipe.samples == sum(stage.samples for stage in recipe.stage)
    for wrong in ("rate=1", "mix.sky=1", "lr=fast", "seed=0.5", "lr"):
        with pytest.raises(UsageError):
            load_finder("damage", [wrong])


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(40):
        small = rng.integers(0, 255, (8, 8, 3), np.uint8)
        Image.fromarray(cv2.resize(small, (140, 132), interpolation=cv2.INTER_CUBIC)).save(
            folder / f"{k}.png"
        )
    return folder


def test_a_run_is_resumed_and_exported_to_what_the_finder_reads(tmp_path, photos, outlines):
    said = []
    recipe = fast_dev(FinderRecipe(shapes=str(outlines), stage=(Stage(samples=8), Stage(samples=8))))
    out = tmp_path / "run"
    options = {"workers": 0, "threads": 1, "say": said.append}
    best = train_finder(recipe, [photos], out, **options)
    assert best.exists() and (out / "validation.csv").exists()
    train_finder(recipe, [photos], out, resume=True, **options)
    assert any("goes on at 16 samples" in line for line in said)
    tensors, state = load_portable(best)  # after two steps it sees nothing that could be judged
    tensors["head.weight"] = torch.randn(tensors["head.weight"].shape) * 2
    save_portable(best, tensors, state)
    target = tmp_path / "damage.onnx"
    export_finder(best, target, sources=[photos], pictures=6, say=said.append)
    planes = chances_of(np.full((70, 100, 3), 128, np.uint8), weights=target)
    assert planes.shape == (6, 70, 100) and planes.dtype == np.uint8
    card = json.loads(target.with_suffix(".json").read_text())
    assert perceptron_from(card["judge"]).chance(np.zeros((3, len(SIGNS)), np.float32)).shape == (3,)
    assert card["recipe"]["shapes"] == outlines.name
    with pytest.raises(UsageError, match="overwrite"):
        export_finder(best, target, sources=[photos])


def test_a_run_of_so_many_minutes_ends_by_the_clock_and_its_rate_falls_till_then(tmp_path, photos, outlines):
    few = fast_dev(FinderRecipe(shapes=str(outlines), stage=(Stage(samples=8),)))
    recipe = dataclasses.replace(few, minutes=0.12, decay=0.9)
    begun = time.monotonic()
    best = train_finder(recipe, [photos], tmp_path / "run", workers=1, threads=1, say=lambda _: None)
    assert 0.12 * 60 <= time.monotonic() - begun < 60
    tensors, state = load_portable(best)
    assert state["samples_seen"] > recipe.samples  # it does not stop where the samples end
    rows = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert float(rows[-1].split(",")[1]) < recipe.lr * 0.3

    # Another run begins from its weights.
    again = dataclasses.replace(few, weights=str(best), lr=0.0)
    other = train_finder(again, [photos], tmp_path / "other", workers=0, threads=1, say=lambda _: None)
    for name, value in load_portable(other)[0].items():
        if "running" not in name and "num_batches" not in name:
            assert torch.equal(value, tensors[name]), name


def test_the_exported_net_answers_what_the_trained_one_does():
    torch.manual_seed(0)
    net = Finder().eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    image = np.random.default_rng(0).integers(0, 255, (1, 64, 96, 3), np.uint8)
    session = open_plain_session(finder_onnx(net))
    (answer,) = session.run(["chance"], {"image": image})
    with torch.inference_mode():
        wanted = net(torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255).softmax(dim=1)[:, 1:]
    assert np.abs(answer.astype(int) - np.rint(255 * wanted.numpy())).max() <= 1
