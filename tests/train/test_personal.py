import importlib.util
import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)
pytest.importorskip("onnx", reason="onnx is not installed")

from click.testing import CliRunner  # noqa: E402

from remend.adapting import RESTORER, adapt, adapt_restorer  # noqa: E402
from remend.cli.adapt import adapt as command  # noqa: E402
from remend.errors import ModelError, UsageError  # noqa: E402
from remend.fill.neural import Neural  # noqa: E402
from remend.nets.onnx_file import to_onnx  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.nets.restorer import Restorer  # noqa: E402
from remend.train.personal.album import PATCH_PX, read_album  # noqa: E402
from remend.train.personal.restorer import compared_restorers, intact  # noqa: E402
from remend.train.personal.tune import Verdict, compared, recipe_of  # noqa: E402
from remend.train.restorer.export import restorer_onnx  # noqa: E402

TINY = ["options.widths=[8,8,16]", "train.batch=4", "train.warmup=16", "train.lr=3e-3"]


def stripes(seed: int, size: tuple[int, int] = (160, 320)) -> np.ndarray:
    """A texture that repeats, and no base fill knows: fine slanted lines."""
    y, x = np.mgrid[: size[0], : size[1]]
    wave = 127 + 90 * np.sin(1.7 * x + 0.9 * y + seed)
    return np.repeat(wave.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), stripes(number))
    return folder


@pytest.fixture
def start(tmp_path):
    torch.manual_seed(0)
    recipe = recipe_of(8, settings=TINY)
    path = tmp_path / "start.onnx"
    path.write_bytes(to_onnx(build(recipe.net, recipe.options).eval()))
    return path


def test_what_is_set_aside_is_not_learned_from(album):
    """Of few pictures a strip of each, of many every fourth picture."""
    few = read_album(album, damage="")
    assert len(few.pictures) == len(few.aside) == 3
    for number, name in enumerate(few.pictures.names):
        whole = stripes(int(name.split("/")[1][0]))
        both = np.concatenate([few.pictures[number], few.aside[number]], axis=1)
        np.testing.assert_array_equal(both, whole)
    for number in range(3, 9):
        cv2.imwrite(str(album / f"{number}.png"), stripes(number))
    many = read_album(album, damage="")
    assert len(many.aside) == 2
    assert not set(many.aside.names) & set(many.pictures.names)
    assert len(many.aside) + len(many.pictures) == 9


def test_damage_is_neither_learned_from_nor_judged(album, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in range(2):
        bad = np.zeros((160, 320), np.uint8)
        bad[20:60] = 255
        cv2.imwrite(str(masks / f"{number}.png"), bad)
    cv2.imwrite(str(masks / "2.png"), np.full((160, 320), 255, np.uint8))
    read = read_album(album, damage=str(masks))
    assert len(read.pictures) == 2
    assert any("100 % of it is damaged" in note for note in read.notes)
    for name, sample in read.patches(count=12):
        assert name.endswith("#")
        assert sample.damage is not None
        assert not (sample.hole & sample.damage).any()
        assert (sample.image[sample.damage] == 0).all()
        assert sample.hole.shape == (PATCH_PX, PATCH_PX)


def test_a_picture_too_small_to_share_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), stripes(0, (130, 140)))
    with pytest.raises(UsageError, match="set a part of it aside"):
        read_album(tmp_path, damage="")


def test_a_gain_that_chance_explains_is_not_kept():
    def verdict(gain: float, error: float) -> Verdict:
        return Verdict(30.0, 30.0 + gain, 1.0, 1.0, error, 4, 96)

    assert verdict(0.5, 0.1).kept
    assert not verdict(0.5, 0.4).kept
    assert not verdict(0.05, 0.001).kept
    assert not verdict(-0.5, 0.1).kept


def test_a_repeated_texture_gains_and_the_file_repairs(album, start, tmp_path):
    target = tmp_path / "mine.onnx"
    lines: list[str] = []
    done = adapt(album, target, damage="", samples=480, start=start, settings=TINY, say=lines.append)
    assert done.verdict.gain > 1
    assert done.model == target
    card = json.loads(target.with_suffix(".json").read_text())
    assert card["margin_px"] == 6
    assert card["metrics"]["album"]["patches"] == done.verdict.patches
    # As it is used: better on a picture of the album that nobody has seen.
    import remend
    from remend.metrics import psnr

    truth, hole = stripes(7), np.zeros((160, 320), bool)
    hole[40:120:20, 30:290] = True
    hole[41:121:20, 30:290] = True
    damaged = np.where(hole[..., None], np.uint8(0), truth)
    tuned, before = (
        psnr(remend.repair(damaged, hole, method=str(path)), truth, hole) for path in (target, start)
    )
    assert tuned > before + 1
    assert Neural.load(target).capabilities.local


def test_what_does_not_gain_writes_nothing(album, start, tmp_path):
    """A rate so small that nothing is learned: the same file cannot be better than itself."""
    target = tmp_path / "mine.onnx"
    done = adapt(
        album,
        target,
        damage="",
        samples=8,
        start=start,
        settings=[*TINY, "train.lr=1e-9"],
        say=lambda _: None,
    )
    assert done.model is None
    assert not target.exists()
    assert not target.with_suffix(".json").exists()
    assert done.as_json()["output"] is None


def test_files_that_exist_are_kept(album, tmp_path):
    target = tmp_path / "mine.onnx"
    target.with_suffix(".json").write_text("{}")
    said = CliRunner().invoke(command, [str(album), "-o", str(target)])
    assert said.exception is not None
    assert "exists" in str(said.exception)
    said = CliRunner().invoke(command, [str(album), "-o", str(tmp_path / "mine.pt")])
    assert ".onnx" in str(said.exception)


def test_the_same_file_is_as_good_as_itself(album, start):
    patches = read_album(album, damage="").patches(count=8)
    verdict = compared(start.read_bytes(), start.read_bytes(), patches)
    assert verdict.gain == 0
    assert verdict.before == verdict.after
    assert not verdict.kept


RESTORER_WEIGHTS = RESTORER.read_bytes()


def test_a_restorer_learns_from_tiles_without_damage(album, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    bad = np.zeros((160, 320), np.uint8)
    bad[70:74, 5:9] = 255
    cv2.imwrite(str(masks / "0.png"), bad)
    for number in (1, 2):
        cv2.imwrite(str(masks / f"{number}.png"), np.zeros((160, 320), np.uint8))
    with pytest.raises(UsageError):
        adapt_restorer(album, tmp_path / "mine.pt", say=lambda _: None)
    whole = intact(read_album(album, damage=str(masks)))
    assert sorted(picture.shape[:2] for picture in whole) == [(160, 192), (160, 192)]
    for picture in intact(read_album(album, damage="")):
        assert picture.shape == (160, 192, 3)


def test_a_restorer_is_as_good_as_itself_and_one_that_does_nothing_is_worse(album):
    read = read_album(album, damage="")
    verdict, gains = compared_restorers(RESTORER_WEIGHTS, RESTORER_WEIGHTS, read, count=1)
    assert verdict.gain == verdict.worst == 0
    assert set(gains.values()) == {0.0}
    idle = restorer_onnx(Restorer().eval())
    verdict, gains = compared_restorers(RESTORER_WEIGHTS, idle, read, count=3)
    assert verdict.worst <= gains["noise_50"] < -3
    assert gains["spoilt_levels"] < 0
    verdict, _ = compared_restorers(idle, RESTORER_WEIGHTS, read, count=3)
    assert verdict.worst == -np.inf or verdict.gain > 1, "what spoils whole pictures is not kept"


def test_restore_takes_a_file_of_ones_own(tmp_path):
    import remend

    rng = np.random.default_rng(0)
    noisy = stripes(0) / 4 + 90 + rng.normal(0, 20, (160, 320, 3))
    noisy = noisy.clip(0, 255).astype(np.uint8)
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(RESTORER_WEIGHTS)
    with pytest.raises(ModelError, match="no restorer with its card"):
        remend.restore(noisy, only="noise", force=True, model=str(mine))
    mine.with_suffix(".json").write_bytes(RESTORER.with_suffix(".json").read_bytes())
    usual, own = (remend.restore(noisy, only="noise", force=True, model=name) for name in ("", str(mine)))
    assert (usual != noisy).any()
    np.testing.assert_array_equal(own, usual)
    idle = restorer_onnx(Restorer().eval())
    mine.write_bytes(idle)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        remend.restore(noisy, only="noise", force=True, model=str(mine))


@pytest.mark.slow
def test_a_restorer_tuned_to_a_repeated_texture_gains_and_is_used(album, tmp_path):
    target = tmp_path / "mine.onnx"
    words = [str(album), "-o", str(target), "--net", "restorer", "--damage", "none", "--samples", "960"]
    said = CliRunner().invoke(command, [*words, "--json"])
    assert said.exit_code == 0, said.output
    card = json.loads(target.with_suffix(".json").read_text())
    assert card["architecture"] == "restorer"
    assert card["metrics"]["album"]["worst"] > 0
    refused = CliRunner().invoke(command, [*words, "--overwrite", "--set", "train.lr=1"])
    assert isinstance(refused.exception, UsageError)
