"""The generators of single kinds: layers of the right form, repeatable, in a sensible amount."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ImageFont

from remend.damage.synth.blemishes import foxing, mould, silvering
from remend.damage.synth.blots import blots
from remend.damage.synth.borders import borders
from remend.damage.synth.film import transport
from remend.damage.synth.flakes import chips
from remend.damage.synth.folds import folds
from remend.damage.synth.layers import Layer, compose, mask_of
from remend.damage.synth.lettering import text
from remend.damage.synth.masks import KINDS
from remend.damage.synth.patches import veil, window
from remend.damage.synth.pictures import DAMAGES
from remend.damage.synth.residues import fingerprints, tape, water_rings
from remend.damage.synth.strokes import sweep
from remend.damage.synth.watermark import watermark
from remend.errors import UsageError

SIZE = (200, 260)

# Kind -> least and largest share of the picture that the middle one of twelve draws covers.
SHARES: dict[Callable[..., list[Layer]], tuple[float, float]] = {
    transport: (0.003, 0.08),
    folds: (0.005, 0.12),
    chips: (0.001, 0.06),
    foxing: (0.001, 0.08),
    mould: (0.004, 0.25),
    silvering: (0.1, 0.8),
    tape: (0.02, 0.4),
    water_rings: (0.01, 0.4),
    fingerprints: (0.01, 0.3),
    blots: (0.002, 0.3),
    borders: (0.02, 0.5),
    text: (0.004, 0.2),
    watermark: (0.004, 0.3),
}
every = pytest.mark.parametrize("make", SHARES, ids=lambda make: make.__name__)


@every
def test_layers_have_the_form_that_was_asked_for(make) -> None:
    for seed in range(4):
        for layer in make(SIZE, seed=seed):
            assert layer.opacity.shape == SIZE
            assert layer.opacity.dtype == np.float32
            assert np.isfinite(layer.opacity).all()
            assert layer.opacity.min() >= 0
            assert layer.opacity.max() <= 1


@every
def test_same_seed_same_layers(make) -> None:
    first, again, other = make(SIZE, seed=7), make(SIZE, seed=7), make(SIZE, seed=8)
    assert [layer.tone for layer in first] == [layer.tone for layer in again]
    for layer, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(layer.opacity, same.opacity)
        assert layer.colour == same.colour
    assert (mask_of(first) != mask_of(other)).any()
    rng = np.random.default_rng(1)
    assert (mask_of(make(SIZE, seed=rng)) != mask_of(make(SIZE, seed=rng))).any()


@every
def test_share_of_the_picture(make) -> None:
    low, high = SHARES[make]
    shares = [float(mask_of(make(SIZE, seed=seed)).mean()) for seed in range(12)]
    assert min(shares) > 0
    assert low <= np.median(shares) <= high
    assert max(shares) < 0.9


@every
def test_mask_is_what_compose_changes(make) -> None:
    image = np.full((*SIZE, 3), (120, 110, 96), np.uint8)
    layers = make(SIZE, seed=3)
    mask, damaged = mask_of(layers), compose(image, layers, np.random.default_rng(0))
    np.testing.assert_array_equal(damaged[~mask], image[~mask])
    assert (damaged[mask] != image[mask]).any(axis=1).mean() > 0.9


@every
def test_more_is_more_and_small_frames_are_no_trouble(make) -> None:
    few, many = (
        np.mean([mask_of(make(SIZE, seed=seed, count=n)).mean() for seed in range(8)]) for n in (1, 4)
    )
    assert many > few
    for size in ((1, 1), (16, 16), (7, 90)):
        assert make(size, seed=1)[0].opacity.shape == size


def test_every_damage_with_a_hole_is_a_kind_of_mask_too() -> None:
    assert {kind for kind in DAMAGES if kind not in ("noise", "blur")} <= set(KINDS)
    assert {make.__name__ for make in SHARES} <= set(DAMAGES)


def test_sweep_width_and_strength() -> None:
    opacity = np.zeros((60, 30), np.float32)
    rows = np.arange(60, dtype=np.float32)
    radius, strength = np.full(60, 2.0, np.float32), np.full(60, 0.8, np.float32)
    sweep(opacity, 8 + 0.3 * rows, radius, strength, slope=0.3)
    # Measured along a row, a slanted line is wider by the cosine of its slant.
    np.testing.assert_allclose(opacity[20].sum(), 4 * 0.8 * np.hypot(1, 0.3), rtol=0.04)
    np.testing.assert_allclose(opacity.max(), 0.8, rtol=1e-6)
    sweep(opacity, np.full(60, -40, np.float32), radius, strength)  # outside: nothing, and no error
    assert opacity[:, 0].max() == 0


def test_veil_is_smooth_noise() -> None:
    clouds = veil((90, 130), 60, np.random.default_rng(0))
    assert clouds.shape == (90, 130)
    assert 0.5 < clouds.std() < 1.5
    assert np.abs(np.diff(clouds, axis=1)).mean() < 0.15


def test_window_beyond_the_frame_is_empty() -> None:
    part, dx, dy = window(np.zeros((20, 30), np.float32), 300.0, -50.0, 10.0)
    assert part.size == 0
    assert dx.shape == dy.shape == part.shape


def test_transport_runs_straight_and_far() -> None:
    straight = 0
    for seed in range(20):
        mask = mask_of(transport(SIZE, seed=seed, count=1, polarity="dark"))
        rows, columns = np.nonzero(mask)
        extents = np.array([np.ptp(rows) / SIZE[0], np.ptp(columns) / SIZE[1]])
        assert extents.max() > 0.2
        straight += int(extents.min() < 0.12)
    assert straight >= 17  # the others lean


def test_transport_polarity_and_width() -> None:
    assert {layer.tone for layer in transport(SIZE, seed=1, polarity="dark")} == {"dark"}
    mask = mask_of(transport((400, 400), seed=5, count=1, width_px=(3.0, 3.0), polarity="dark"))
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    assert 1.5 <= 2 * distance.max() <= 7


def test_widths_grow_with_the_scan() -> None:
    def widest(make, side: int) -> float:
        masks = [mask_of(make((side, side), seed=seed, count=8)).astype(np.uint8) for seed in range(4)]
        return float(np.mean([cv2.distanceTransform(np.pad(m, 1), cv2.DIST_L2, 5).max() for m in masks]))

    for make in (transport, chips, foxing):
        assert widest(make, 1536) > 1.4 * widest(make, 384), make.__name__


def test_a_fold_reaches_from_side_to_side() -> None:
    """A line or a corner: it meets the frame at two places far apart."""
    across = 0
    for seed in range(12):
        mask = mask_of(folds(SIZE, seed=seed, count=1))
        sides = (mask[:4].any(), mask[-4:].any(), mask[:, :4].any(), mask[:, -4:].any())
        across += int(sum(sides) >= 2)
    assert across >= 9  # of the others, the break comes and goes
    flanks = folds(SIZE, seed=4, count=3)
    assert [layer.tone for layer in flanks] == ["dark", "bright", "dark", "paper"]


def test_chips_keep_their_extent() -> None:
    paper = chips((300, 300), seed=1, count=1, extent_px=(30.0, 30.0))[-1]
    rows, columns = np.nonzero(paper.opacity > 0.5)
    assert paper.tone == "paper"
    assert max(np.ptp(rows), np.ptp(columns)) <= 40


def test_translucent_kinds_let_the_picture_through() -> None:
    for make in (foxing, tape, watermark, silvering, fingerprints):
        opacities = np.concatenate(
            [layer.opacity[layer.opacity > 0.08] for seed in range(6) for layer in make(SIZE, seed=seed)]
        )
        assert np.median(opacities) < 0.75, make.__name__


def test_blots_hide_the_picture() -> None:
    strong = [
        float((layer.opacity[layer.opacity > 0.08] > 0.75).mean())
        for seed in range(12)
        for layer in blots(SIZE, seed=seed)
        if (layer.opacity > 0.08).any()
    ]
    assert np.median(strong) > 0.7


def test_borders_lie_along_the_sides() -> None:
    for seed in range(8):
        mask = mask_of(borders(SIZE, seed=seed, count=4))
        frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert frame.mean() > 0.6
        assert mask[80:120, 100:160].mean() < 0.5


def test_watermarks_are_grey_and_of_the_asked_opacity() -> None:
    for seed in range(8):
        for layer in watermark(SIZE, seed=seed, opacity=(0.3, 0.4)):
            assert layer.colour is not None
            assert len(set(layer.colour)) == 1
            assert layer.opacity.max() <= 0.4 + 1e-6


@pytest.mark.parametrize("style", ["caption", "subtitle", "inscription", "stamp", "date", "watermark"])
def test_every_style_of_text_shows(style: str) -> None:
    for seed in range(4):
        assert mask_of(text(SIZE, seed=seed, style=style, count=1)).any()


@pytest.mark.parametrize("make", [text, watermark], ids=["text", "watermark"])
def test_fonts_that_are_brought_are_used(make, tmp_path: Path) -> None:
    source = ImageFont.load_default(12).path  # the bytes of the font that Pillow brings
    path = tmp_path / "a.ttf"
    path.write_bytes(source.getvalue())
    used = [
        (mask_of(make(SIZE, seed=s)) != mask_of(make(SIZE, seed=s, fonts=[path]))).any() for s in range(6)
    ]
    assert any(used)
    broken = tmp_path / "b.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(UsageError, match="no font that can be read"):
        for seed in range(20):
            make(SIZE, seed=seed, fonts=[broken])
