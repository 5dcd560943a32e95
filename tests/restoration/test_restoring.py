"""Restoring as a whole: what helps is done, what is good stays bit for bit."""

import json

import cv2
import numpy as np
import PIL.Image
import pytest

import remend
from made_wear import compressed, decibels, faded, noised, photograph
from remend.cli import main
from remend.errors import LimitError, UsageError
from remend.options import Bounds
from remend.options.restoration import RestoreOptions, parse_steps
from remend.picture import Picture
from remend.restoration.net import WEIGHTS, change_of, clean, session_of
from remend.restoring import restore_file, restore_picture

pytestmark = pytest.mark.skipif(not WEIGHTS.exists(), reason="this build carries no weights/restore.onnx")

NOT_DAMAGE = RestoreOptions(skip=("damage",))


def cli(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return int(stop.value.code or 0)


def restored(image, options=NOT_DAMAGE):
    return restore_picture(Picture(image.copy(), "RGB"), options)


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_a_good_picture_stays_bit_for_bit(name):
    done = restored(photograph(name))
    assert np.array_equal(done.picture.samples, photograph(name))
    assert not done.changed.any() and not done.anew


def test_an_ordinary_jpeg_has_no_noise():
    """The net sees its blocks everywhere; statistics say 3.0 of this cat's fur."""
    for quality in (75, 85):
        worn = compressed(photograph("chelsea"), quality)
        assert np.array_equal(restored(worn).picture.samples, worn)


@pytest.mark.parametrize(("sigma", "gain"), [(15, 4.0), (30, 6.0)])
def test_noise_goes(sigma, gain):
    image = photograph("coffee")
    worn = noised(image, sigma)
    done = restored(worn)
    assert decibels(done.picture.samples, image) > decibels(worn, image) + gain
    assert [step.kind for step in done.steps if step.strength] == ["noise"]


def test_weak_grain_that_statistics_hardly_see_goes():
    """Neighbours of grain are alike, so that the least eigenvalues miss it."""
    image = photograph("coffee")
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, image.shape[:2]), (0, 0), 0.8)
    grain *= 8 / grain.std()
    worn = np.clip(np.rint(image + grain[..., None]), 0, 255).astype(np.uint8)
    done = restored(worn)
    assert done.inspection.noise.mean < 3
    assert [step.kind for step in done.steps if step.strength] == ["noise"]
    assert decibels(done.picture.samples, image) > decibels(worn, image) + 0.5
    assert (
        np.abs(restored(done.picture.samples).picture.samples - done.picture.samples.astype(int)).mean() < 0.5
    )


def test_small_pictures_are_looked_at_from_more_sides():
    image = photograph("coffee")
    worn = noised(image, 15)
    bare = {"only": ("noise",), "keep_grain": 0.0}
    quick, usual, best = (
        decibels(restored(worn, RestoreOptions(**bare, quality=quality)).picture.samples, image)
        for quality in ("fast", "balanced", "best")
    )
    assert quick + 0.05 < usual == best
    large = 4000, 3000
    assert [RestoreOptions(quality=quality).views(large) for quality in ("fast", "balanced", "best")] == [
        1,
        1,
        8,
    ]


@pytest.mark.parametrize(("name", "quality"), [("astronaut", 20), ("coffee", 30), ("chelsea", 30)])
def test_blocks_go(name, quality):
    """As blocks, which the file tells of, and not as noise: the net sees them everywhere."""
    image = photograph(name)
    worn = compressed(image, quality)
    done = restored(worn)
    assert decibels(done.picture.samples, image) > decibels(worn, image) + 0.4
    assert [step.kind for step in done.steps if step.strength] == ["blocks"]


def test_strength_is_a_share_and_nought_is_identity():
    worn = noised(photograph("coffee"), 25)
    bare = {"skip": ("damage",), "keep_grain": 0.0}
    whole = restored(worn, RestoreOptions(**bare)).picture.samples.astype(float)
    half = restored(worn, RestoreOptions(**bare, strength=0.5)).picture.samples
    inside = (whole > 0) & (whole < 255)  # what is clipped goes only part of the way
    assert np.abs(half - (worn + whole) / 2)[inside].max() <= 1.01
    own = restored(worn, RestoreOptions(**bare, noise=0.5))
    assert np.array_equal(own.picture.samples, half)
    none = restored(worn, RestoreOptions(skip=("damage",), strength=0.0))
    assert np.array_equal(none.picture.samples, worn) and not none.changed.any()


@pytest.mark.parametrize(("preset", "sigma"), [("photo", 25), ("scan", 12), ("film", 12), ("film", 25)])
def test_done_twice_is_done_once(preset, sigma):
    options = RestoreOptions(skip=("damage",), preset=preset)
    worn = noised(photograph("coffee"), sigma)
    once = restored(worn, options).picture.samples
    twice = restored(once, options).picture.samples
    assert decibels(once, photograph("coffee")) > decibels(worn, photograph("coffee"))
    assert np.abs(twice.astype(int) - once).mean() < 0.5


def test_tiles_leave_no_seam(monkeypatch):
    worn = noised(photograph("coffee"), 20)
    whole, tiled = Picture(worn.copy(), "RGB"), Picture(worn.copy(), "RGB")
    clean(whole)
    monkeypatch.setattr("remend.restoration.net.TILE_PX", 128)
    clean(tiled)
    apart = np.abs(whole.samples.astype(int) - tiled.samples)
    assert apart.max() <= 3 and apart.mean() < 0.1


@pytest.mark.parametrize("size", [(1, 50), (50, 1), (7, 7)])
def test_a_few_pixels_say_nothing_of_tones(size):
    """A row of 50 pixels was brought back from fading twice, the second time by 11 levels."""
    worn = noised(photograph("coffee"), 15)[: size[0], : size[1]]
    assert np.array_equal(restored(worn).picture.samples, worn)


@pytest.mark.parametrize("size", [(1, 1), (1, 77), (9, 280)])
def test_any_size(size):
    window = np.random.default_rng(0).random((*size, 3), np.float32)
    assert change_of(window).shape == window.shape
    done = restored(photograph("coffee")[: size[0], : size[1]])
    assert done.picture.size == size


def test_grey_stays_grey_and_sixteen_bits_keep_theirs(monkeypatch):
    grey = photograph("coffee")[..., :1]
    worn = noised(grey, 20)
    for samples, mode in ((np.repeat(worn, 3, axis=2), "RGB"), (worn, "L")):
        picture = Picture(samples.copy(), mode)
        clean(picture)
        assert (np.ptp(picture.samples, axis=2) == 0).all()
        assert decibels(picture.samples[..., :1], grey) > decibels(worn, grey) + 3
    deep = Picture(worn.astype(np.uint16) * 257, "L")
    clean(deep)
    apart = np.abs(deep.samples / 257.0 - picture.samples)
    assert apart.max() <= 5 and apart.mean() < 0.7  # 8 bits are less exact, and twice as fast
    monkeypatch.setattr("remend.runtime.multiplies_bytes", lambda: False)
    session_of.cache_clear()
    picture = Picture(worn.copy(), "L")
    clean(picture)
    session_of.cache_clear()
    # Half a level of rounding, and a few roundings of features that stay wherever a file is in 8 bits.
    assert np.abs(deep.samples / 257.0 - picture.samples).max() <= 0.7
    assert len(np.unique(deep.samples)) > 256


def test_alpha_and_what_is_not_there_stay():
    worn = noised(photograph("coffee"), 25)
    alpha = np.full((*worn.shape[:2], 1), 255, np.uint8)
    alpha[:50] = 0
    picture = Picture(np.concatenate([worn, alpha], axis=2), "RGBA")
    changed = clean(picture)
    assert np.array_equal(picture.samples[..., 3:], alpha)
    assert np.array_equal(picture.samples[:50, :, :3], worn[:50]) and not changed[:50].any()
    real = worn.astype(np.float32) / 255
    real[10, 10] = np.nan
    floats = Picture(real.copy(), "RGB")
    assert not clean(floats)[10, 10]
    assert np.isnan(floats.samples).sum() == 3


def test_documents_and_palettes_are_left():
    paper = np.full((300, 300, 3), 250, np.uint8)
    for row in range(20, 280, 12):
        paper[row : row + 2, 30:270:3] = 20
    done = restored(noised(paper, 8))
    assert done.nature != "photograph"
    assert not any(step.strength for step in done.steps)
    few = Picture(photograph("coffee")[..., :1] // 8, "P", palette=np.full((32, 4), 255, np.uint8))
    assert not any(step.strength for step in restore_picture(few, NOT_DAMAGE).steps)


def test_files_keep_their_profile_and_lose_their_blocks(tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = photograph("astronaut")
    PIL.Image.fromarray(image).save(tmp_path / "a.jpg", quality=15, icc_profile=profile)
    report = restore_file(tmp_path / "a.jpg", tmp_path / "b.jpg", options=NOT_DAMAGE)
    assert report.changed_ratio > 0.5
    with PIL.Image.open(tmp_path / "b.jpg") as after, PIL.Image.open(tmp_path / "a.jpg") as before:
        assert after.info["icc_profile"] == profile
        assert decibels(np.array(after), image) > decibels(np.array(before), image) + 0.4
    PIL.Image.fromarray(image).save(tmp_path / "good.jpg", quality=92)
    restore_file(tmp_path / "good.jpg", tmp_path / "copy.jpg")
    assert (tmp_path / "copy.jpg").read_bytes() == (tmp_path / "good.jpg").read_bytes()


def test_the_command_and_python_do_the_same(tmp_path, capsys):
    worn = noised(faded(photograph("coffee"), (70, 50, 35), (215, 180, 150)), 12)
    PIL.Image.fromarray(worn).save(tmp_path / "a.png")
    assert cli("restore", tmp_path / "a.png", "--json", "--skip", "damage") == 0
    line = json.loads(capsys.readouterr().out)
    assert {step["step"]: step["strength"] for step in line["steps"]} == {
        "screen": 0.0,
        "noise": 1.0,
        "blocks": 0.0,
        "damage": 0.0,
        "tone": 1.0,
    }
    assert line["output"] == str(tmp_path / "a.restored.png")
    written = np.array(PIL.Image.open(line["output"]))
    assert np.array_equal(written, remend.restore(worn, skip="damage"))
    assert not np.array_equal(written, worn)
    assert cli("restore", tmp_path / "a.png") == 4  # the file is there
    assert cli("restore", tmp_path / "a.png", "-o", tmp_path / "none.png", "--dry-run") == 0
    assert not (tmp_path / "none.png").exists()


def test_tone_goes_first_where_nothing_else_spoils_it():
    image = faded(photograph("coffee"), (70, 50, 35), (190, 160, 130))
    for sigma, first in ((3, "tone"), (12, "noise")):
        taken = []
        picture = Picture(noised(image, sigma), "RGB")
        done = restore_picture(picture, NOT_DAMAGE, shown=lambda step, picture, kept=taken: kept.append(step))
        assert taken[:2] == ["before", first] and set(taken[1:]) == {"tone", "noise"}
        reason = next(step.reason for step in done.steps if step.kind == "noise")
        assert reason.startswith("once tones are brought back, ") == (first == "tone")
        decided = restore_picture(Picture(noised(image, sigma), "RGB"), NOT_DAMAGE, dry_run=True)
        assert decided.steps == done.steps and not decided.changed.any()
        assert np.array_equal(decided.picture.samples, noised(image, sigma))


def test_inspect_says_what_it_measures(tmp_path, capsys):
    PIL.Image.fromarray(noised(photograph("coffee"), 20)).save(tmp_path / "a.png")
    assert cli("inspect", tmp_path / "a.png") == 0
    assert "noise" in capsys.readouterr().out
    assert cli("inspect", tmp_path / "a.png", "--json") == 0
    line = json.loads(capsys.readouterr().out)
    assert line["noise"]["sigma"] == pytest.approx([20, 20, 20], rel=0.1)
    assert line["compression"] is None
    assert cli("inspect", tmp_path / "missing.png") == 1


def test_steps_that_do_not_exist_are_told():
    with pytest.raises(UsageError, match="no step 'moire'"):
        parse_steps(("moire",), ())
    with pytest.raises(UsageError, match="no step is left"):
        parse_steps(("noise",), ("noise",))
    with pytest.raises(UsageError, match="strength must be a number from 0 to 1, got 2"):
        remend.restore(photograph("coffee"), strength=2)


def test_upscale_makes_a_new_file_with_what_the_old_one_told(tmp_path, capsys):
    source = tmp_path / "small.png"
    PIL.Image.fromarray(photograph("coffee")[:60, :80]).save(source, dpi=(150, 150))
    for name, format, factor in (("large.png", "PNG", 2), ("large.jpg", "JPEG", 4)):
        target = tmp_path / name
        assert cli("restore", source, "-o", target, "--upscale", factor) == 0
        with PIL.Image.open(target) as large:
            assert large.size == (80 * factor, 60 * factor) and large.format == format
            assert large.info["dpi"][0] == pytest.approx(150 * factor, abs=0.1)
        assert f"{factor} times as large" in capsys.readouterr().err
    report = restore_file(source, tmp_path / "again.png", options=RestoreOptions(upscale=2))
    assert report.size == (60, 80)
    with pytest.raises(UsageError, match="1, 2 or 4"):
        RestoreOptions(upscale=3)
    with pytest.raises(LimitError, match="megapixels"):
        restore_file(
            source, tmp_path / "b.png", options=RestoreOptions(upscale=4), bounds=Bounds(max_pixels=50_000)
        )
