from importlib import resources

import pytest

from remend.errors import UsageError
from remend.train.config import load

RECIPES = sorted(
    path.name.removesuffix(".toml")
    for path in (resources.files("remend.train") / "recipes").iterdir()
    if path.name.endswith(".toml")
)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_be_cut_down(name):
    whole, cut = load(name), load(name, preset="small")
    assert cut.net == whole.net
    assert cut.train.samples <= 100_000
    assert cut.data.crop_px <= 128
    assert cut.train.batch * cut.data.crop_px**2 <= 16 * 128**2
    assert cut.critic.from_samples < cut.train.samples
    assert cut.train.warmup <= cut.train.samples / 10
    assert cut.critic.name == whole.critic.name
    # What the schedule does at its end would not be seen otherwise.
    assert cut.train.validate_every * 4 <= cut.train.samples


RECIPE = """
net = "unet"
[options]
widths = [64, 128]
dropout = 0.25
[data]
crop_px = 256
[critic]
name = "patch"
from_samples = 400_000
options = { width = 64, layers = 2 }
[transfer]
freeze_until = 100_000
[train]
samples = 4_000_000
batch = 64
lr = 3e-4
"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_what_is_not_said_is_scaled(tmp_path):
    file = write(tmp_path / "mine.toml", RECIPE)
    cut = load(file, preset="small")
    assert (cut.train.samples, cut.train.batch, cut.data.crop_px) == (40_000, 8, 128)
    assert (cut.critic.from_samples, cut.transfer.freeze_until) == (4_000, 1_000)
    assert cut.train.lr == 3e-4
    assert cut.options == {"widths": (64, 128), "dropout": 0.25}
    assert load(file).train.samples == 4_000_000


def test_what_the_recipe_says_of_small_counts_and_the_rest_follows(tmp_path):
    table = """
[small.options]
widths = [8, 16]
[small.critic]
options = { width = 8 }
[small.train]
samples = 8_000
batch = 16
"""
    cut = load(write(tmp_path / "mine.toml", RECIPE + table), preset="small")
    assert cut.options == {"widths": (8, 16), "dropout": 0.25}
    assert cut.critic.options == {"width": 8, "layers": 2}
    assert (cut.train.samples, cut.train.batch, cut.train.validate_every) == (8_000, 16, 1_000)
    assert cut.critic.from_samples == 800


def test_a_table_that_cannot_be_meant_is_refused_even_unasked(tmp_path):
    with pytest.raises(UsageError, match="bacth"):
        load(write(tmp_path / "mine.toml", RECIPE + "[small.train]\nbacth = 8\n"))
    with pytest.raises(UsageError, match=r"\[small\] of a recipe is a table"):
        load(write(tmp_path / "other.toml", "small = 3\n" + RECIPE))
    with pytest.raises(UsageError, match="no preset is called 'tiny'"):
        load("unet", preset="tiny")
