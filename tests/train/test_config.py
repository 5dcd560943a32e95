import pytest

from remend.errors import UsageError
from remend.nets.registry import NETS
from remend.train.config import Recipe, as_dict, digest, from_dict, load, override


@pytest.mark.parametrize("name", NETS)
def test_the_shipped_recipes_load_and_survive_a_round_trip(name):
    recipe = load(name)
    assert recipe.net == name
    assert recipe.options
    assert from_dict(as_dict(recipe)) == recipe


def test_keys_that_came_later_do_not_change_an_older_recipe():
    """A checkpoint of a build without critic and transfer goes on without a word."""
    recipe = Recipe("remend")
    old = {k: v for k, v in as_dict(recipe).items() if k not in ("critic", "transfer")}
    del old["data"]["few"], old["train"]["hold"]
    assert from_dict(old) == recipe
    assert digest(from_dict(old)) == digest(recipe)


def test_settings_override_by_their_types():
    recipe = override(
        Recipe("remend"),
        [
            "train.batch=8",
            "train.lr=1",
            "train.betas=[0.5,0.9]",
            "loss.backbone=/a/b.h5",
            "options.attention=false",
        ],
    )
    assert (recipe.train.batch, recipe.train.lr, recipe.train.betas) == (8, 1.0, (0.5, 0.9))
    assert recipe.loss.backbone == "/a/b.h5"
    assert recipe.options == {"attention": False}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("batch=8", "section.key=value"),
        ("train.batch", "section.key=value"),
        ("train.bacth=8", "no 'bacth': it has samples, minutes, batch"),
        ("trian.batch=8", "no section 'trian'"),
        ("train.batch=eight", "train.batch is int, got 'eight'"),
        ("train.batch=1.5", "train.batch is int"),
        ("train.batch=0", "train.batch is 1 or more, got 0"),
        ("train.loaders=0", "train.loaders is 1 or more, got 0"),
        ("train.log_every=0", "train.log_every is 1 or more, got 0"),
        ("train.lr=nan", "train.lr is 0 or more, got nan"),
        ("train.hold=1.5", "train.hold is from 0 to 1, got 1.5"),
        ("train.betas=[0.9, 1.0]", "train.betas are two numbers from 0 to below 1"),
        ("loss.hole=-1", "loss.hole is 0 or more, got -1"),
        ("critic.r1_every=0", "critic.r1_every is 1 or more, got 0"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_one_clear_line(setting, said):
    with pytest.raises(UsageError, match=said) as caught:
        override(Recipe("remend"), [setting])
    assert "\n" not in str(caught.value)


def test_unknown_recipes_and_broken_files(tmp_path):
    with pytest.raises(UsageError, match=r"choose one of .*remend"):
        load("remand")
    (tmp_path / "x.toml").write_text("net = ")
    with pytest.raises(UsageError, match="is no TOML"):
        load(str(tmp_path / "x.toml"))
    (tmp_path / "y.toml").write_text('net = "remend"\nlr = 1')
    with pytest.raises(UsageError, match="a recipe has no 'lr'"):
        load(str(tmp_path / "y.toml"))


def test_the_digest_ignores_where_weights_lie_but_nothing_else():
    base = override(Recipe("remend"), ["loss.backbone=/here/a.h5"])
    assert digest(base) == digest(override(base, ["loss.backbone=/there/a.h5"]))
    assert digest(base) != digest(override(base, ["train.seed=1"]))


def test_losses_that_count_are_told_apart_from_what_shapes_them():
    recipe = override(Recipe("remend"), ["loss.ring=0", "loss.relative=0.02", "loss.tv=0.1"])
    assert recipe.loss.weights() == {"hole": 2.0, "perceptual": 0.7, "tv": 0.1}
