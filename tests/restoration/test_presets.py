"""Presets, grain that stays, and pictures of every kind through all steps."""

import re
from pathlib import Path

import numpy as np
import pytest

import remend
from made_wear import decibels, faded, noised, photograph
from remend.errors import UsageError
from remend.options.presets import PRESETS, SET_BY_PRESETS, TOLD, preset_named
from remend.options.restoration import STEPS, RestoreOptions
from remend.picture import Picture
from remend.restoration.grain import MORE_LEVELS, MOST_LEVELS, SMALL_SHARE, put_back_grain
from remend.restoration.net import WEIGHTS
from remend.restoring import restore_picture

needs_net = pytest.mark.skipif(not WEIGHTS.exists(), reason="this build carries no weights/restore.onnx")
DOCS = Path(__file__).parents[2] / "docs" / "restoring.md"


def test_what_presets_set_and_what_is_given_beside_them():
    assert RestoreOptions().wanted == frozenset(STEPS) - {"screen"}
    assert RestoreOptions(skip="damage").wanted == {"noise", "blocks", "tone"}
    assert RestoreOptions(only="screen").wanted == {"screen"}
    assert RestoreOptions(preset="print").wanted == frozenset(STEPS)
    assert RestoreOptions(preset="document").wanted == {"tone"}
    assert RestoreOptions(preset="document", only="noise,tone").wanted == {"noise", "tone"}
    assert RestoreOptions(preset="print").goes_over_all and not RestoreOptions().goes_over_all
    # No preset has damage searched for in documents.
    assert not RestoreOptions(preset="document").mask_options.force
    assert RestoreOptions(preset="film").set_to("keep_grain") == 0.6
    assert RestoreOptions(preset="film", keep_grain=0.0).set_to("keep_grain") == 0.0
    assert RestoreOptions(preset="film", blocks=1.0, strength=0.5).strength_of("blocks") == 0.5
    assert RestoreOptions(preset="scan").mask_options.sensitivity == 0.6
    assert set(TOLD) == set(PRESETS)


def test_a_preset_of_ones_own(tmp_path):
    own = tmp_path / "attic.toml"
    own.write_text('noise = 0.4\nskip = ["damage", "screen"]\n')
    options = RestoreOptions(preset=str(own))
    assert options.wanted == {"noise", "blocks", "tone"}
    assert options.strength_of("noise") == 0.4 and options.strength_of("tone") == 1.0
    assert preset_named(str(own)).keys() == set(SET_BY_PRESETS) - {"only"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour = 3\n", "sets 'colour': only only, skip, noise"),
        ("noise = 3\n", "noise must be a number from 0 to 1, got 3"),
        ("noise = \n", "cannot be read"),
        ('skip = ["moire"]\n', "restore has no step 'moire'"),
    ],
)
def test_what_is_wrong_in_a_preset_is_told(tmp_path, text, says):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(UsageError, match=says):
        remend.restore(photograph("coffee"), preset=str(tmp_path / "own.toml"))
    with pytest.raises(UsageError, match="no preset 'polaroid': choose photo, print"):
        RestoreOptions(preset="polaroid")
    with pytest.raises(UsageError, match="cannot be read"):
        RestoreOptions(preset=str(tmp_path / "none.toml"))


def test_the_docs_have_the_table():
    rows = dict(
        re.findall(
            r"^\| `(\w+)` \|[^|]*\|(.*)\|$",
            DOCS.read_text(encoding="utf-8").partition("## Presets")[2],
            re.MULTILINE,
        )
    )
    assert set(rows) == set(PRESETS)
    for name in PRESETS:
        cells = [cell.strip() for cell in rows[name].split("|")]
        options = RestoreOptions(preset=name)
        told = [
            *(f"{options.strength_of(step):g}" if step in options.wanted else "–" for step in STEPS),
            *(f"{options.set_to(key):g}" for key in ("keep_grain", "sensitivity")),
            "yes" if options.goes_over_all else "no",
        ]
        told[STEPS.index("damage")] = "yes" if "damage" in options.wanted else "–"
        assert cells == told


def spectrum(grain):
    """Power of (n, n) in eight rings of frequency."""
    power = np.abs(np.fft.fft2(grain)) ** 2
    length = np.hypot(*np.meshgrid(np.fft.fftfreq(len(grain)), np.fft.fftfreq(len(grain))))
    ring = np.minimum((length * 16).astype(int), 7)
    return np.bincount(ring.ravel(), power.ravel(), 8) / np.bincount(ring.ravel())


@pytest.mark.parametrize("share", [0.25, 0.6])
def test_grain_put_back_has_the_spectrum_and_share_of_what_was_taken_off(share):
    clean = np.full((256, 256, 3), 120.0)
    rng = np.random.default_rng(0)
    silver = np.fft.ifft2(np.fft.fft2(rng.normal(0, 30, (256, 256))) * 0.6).real
    before = np.rint(clean + silver[..., None] + rng.normal(0, 6, clean.shape)).clip(0, 255).astype(np.uint8)
    picture = Picture(clean.astype(np.uint8), "RGB")
    changed = put_back_grain(picture, before, share, 18)
    removed = (before.astype(float) - clean).mean(axis=2)
    back = picture.samples.astype(float) - clean
    assert changed.mean() > 0.8
    assert np.ptp(back, axis=2).max() <= 1  # no colour
    most = MOST_LEVELS + MORE_LEVELS * max(0.0, share - SMALL_SHARE)  # what the next restoration lets be
    wanted = min(share, most / 18)
    assert back.mean(axis=2).std() == pytest.approx(wanted * removed.std(), rel=0.05)
    ratio = spectrum(back.mean(axis=2)) / spectrum(removed)
    assert ratio.max() / ratio.min() < 1.6
    weak = Picture(clean.astype(np.uint8), "RGB")
    assert not put_back_grain(weak, before, 1.0, 5).any()


@needs_net
def test_film_keeps_more_grain_than_a_photograph():
    worn = noised(photograph("coffee"), 20)
    left = {}
    for preset in ("photo", "film"):
        options = RestoreOptions(preset=preset, skip=("damage", "tone"))
        left[preset] = restore_picture(Picture(worn.copy(), "RGB"), options).picture.samples.astype(float)
    without = restore_picture(
        Picture(worn.copy(), "RGB"), RestoreOptions(skip=("damage", "tone"), keep_grain=0)
    ).picture.samples.astype(float)
    grain = {name: (image - without).mean(axis=2).std() for name, image in left.items()}
    assert 0.3 < grain["photo"] < 2 < grain["film"]
    assert decibels(left["photo"], photograph("coffee")) > decibels(without, photograph("coffee")) - 0.4


@needs_net
@pytest.mark.parametrize("kind", ["noise", "fading", "both", "grey"])
def test_restored_twice_is_restored_once(kind):
    image = photograph("coffee")
    if kind == "grey":
        image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    if kind != "noise":
        image = faded(image, (60, 60, 60) if kind == "grey" else (70, 50, 35), (190, 190, 190))
    if kind in ("noise", "both"):
        image = noised(image, 12)
    once = restore_picture(Picture(image.copy(), "RGB"), RestoreOptions(skip="damage"))
    assert once.changed.any()
    again = restore_picture(Picture(once.picture.samples.copy(), "RGB"), RestoreOptions(skip="damage"))
    assert np.abs(again.picture.samples.astype(float) - once.picture.samples).mean() <= 0.5


@needs_net
@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize(
    "samples",
    [
        np.full((1, 40, 1), 90, np.uint8),
        np.full((40, 1, 3), 90, np.uint8),
        np.random.default_rng(0).integers(0, 65536, (70, 90, 1), np.uint16),
        np.random.default_rng(0).random((70, 90, 3), np.float32),
        np.random.default_rng(0).integers(90, 150, (70, 90, 4), np.uint8),
        np.full((70, 90, 3), np.nan, np.float32),
    ],
    ids=["row", "column", "16 bit", "float", "alpha", "nan"],
)
def test_any_picture_under_any_preset(preset, samples):
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
    done = restore_picture(Picture(samples.copy(), mode), RestoreOptions(preset=preset)).picture
    assert done.samples.shape == samples.shape and done.samples.dtype == samples.dtype
    if mode == "RGBA":
        assert np.array_equal(done.samples[..., 3], samples[..., 3])
    if np.isnan(samples).any():
        assert np.isnan(done.samples).all()


@needs_net
def test_inks_are_left():
    inks = np.random.default_rng(0).integers(60, 160, (80, 80, 4), np.uint8)
    done = restore_picture(Picture(inks.copy(), "CMYK"), RestoreOptions(preset="print", skip="damage"))
    assert np.array_equal(done.picture.samples, inks)
    assert all("CMYK" in step.reason for step in done.steps if step.kind != "damage")


def test_a_grey_page_gets_white_paper_and_keeps_its_tint():
    page = np.full((400, 300, 3), (205, 195, 170), np.uint8)
    for row in range(30, 370, 14):
        page[row : row + 4, 30:270:3] = (80, 75, 70)
    done = restore_picture(Picture(page.copy(), "RGB"), RestoreOptions(preset="document"))
    assert done.nature != "photograph"
    paper = done.picture.samples[5, 5].astype(int)
    assert paper.mean() > 235
    assert paper[0] > paper[1] > paper[2]
    plain = restore_picture(Picture(page.copy(), "RGB"), RestoreOptions())
    assert np.array_equal(plain.picture.samples, page)


def test_the_server_takes_no_file_for_a_preset(tmp_path):
    pytest.importorskip("fastapi", reason="serving needs its extra: pip install '.[serve]'")
    from remend.serve.options import RESTORE, read_job_options
    from remend.serve.problems import Problem

    (tmp_path / "own.toml").write_text("noise = 0.5\n")
    with pytest.raises(Problem, match="preset must be one of photo, print"):
        read_job_options({"preset": str(tmp_path / "own.toml")}, RESTORE, "restore")
    assert read_job_options({"preset": "film"}, RESTORE, "restore").kind == "restore"
