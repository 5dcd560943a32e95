"""The loops that courses teach, as recipes: each learns, is exported, and repairs through the product."""

import importlib.util
import tomllib
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

import remend  # noqa: E402
from remend.export import export  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.nets.squeezenet import SqueezeNet  # noqa: E402
from remend.train.config import first_run, load, override  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run import fallbacks, loop  # noqa: E402

RECIPES = ("gan-cifar", "autoencoder", "unet-256", "resnet-transfer", "resnet-transfer-second")
NARROW = {
    "gan-cifar": ["options.widths=[8, 16, 8]", "critic.options={width = 4, layers = 3, spectral = false}"],
    "autoencoder": ["options.widths=[8, 8, 8, 16]"],
    "unet-256": ["options.widths=[8, 8, 8]"],
    "resnet-transfer": ["options.encoder=squeezenet", "options.widths=[8, 8, 8]"],
    "resnet-transfer-second": [
        "options.encoder=squeezenet",
        "options.widths=[8, 8, 8]",
        "critic.options={width = 4, layers = 2}",
    ],
}
SHORT = [
    "data.crop_px=64",
    "data.validation_px=64",
    "train.samples=12",
    "train.batch=4",
    "train.loaders=1",
    "train.lr=3e-3",
    "train.warmup=0",
]


def short(name):
    return override(load(name), [*NARROW[name], *SHORT, "train.validate_every=8", "train.log_every=4"])


def learned(recipe, photos, out, said=None):
    say = (said if said is not None else []).append
    return loop.train(Run(recipe, (photos,), out, False, 1, "32-true", "cpu", say=say))


@pytest.mark.parametrize("name", RECIPES)
def test_a_tutorials_loop_learns_is_exported_and_repairs(name, photos, tmp_path):
    outcome = learned(short(name), photos, tmp_path / "run")
    assert np.isfinite(outcome.scores["psnr"])
    made = export(tmp_path / "run", tmp_path / "net.onnx")
    picture = cv2.imread(str(photos / "03.png"))[..., ::-1].copy()
    mask = np.zeros(picture.shape[:2], bool)
    mask[20:40, 30:60] = True
    answer = remend.repair(picture, mask, method=str(made.model))
    assert np.array_equal(answer[~mask], picture[~mask])
    assert not np.array_equal(answer[mask], picture[mask])


def test_the_gan_of_courses_is_the_one_that_they_know():
    recipe = load("gan-cifar")
    net = build(recipe.net, recipe.options).body
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(3, 64), (64, 128), (128, 64), (64, 3)]
    assert isinstance(net.layers[-1], torch.nn.Tanh)
    assert (recipe.train.optimizer, recipe.train.lr, recipe.critic.lr) == ("adam", 2e-4, 2e-4)
    assert (recipe.data.crop_px, recipe.train.batch) == (64, 32)
    assert recipe.critic.loss == "non-saturating"  # cross-entropy on logits: the sigmoid is in it


def test_binary_cross_entropy_after_a_sigmoid_is_what_the_gan_learns_by():
    from remend.nets.critics import CriticOutput
    from remend.train.adversarial.losses import critic_loss, generator_loss

    logits = torch.linspace(-3, 3, 8)[:, None, None, None]
    real, made = CriticOutput([logits], []), CriticOutput([logits.flip(0)], [])
    hole = torch.ones(8, 1, 4, 4)
    chance = torch.nn.BCELoss()
    wanted = chance(logits.sigmoid(), torch.ones_like(logits)) + chance(
        logits.flip(0).sigmoid(), torch.zeros_like(logits)
    )
    assert critic_loss("non-saturating", real, made, hole) == pytest.approx(float(wanted), rel=1e-5)
    assert generator_loss("non-saturating", made, hole) == pytest.approx(
        float(chance(logits.flip(0).sigmoid(), torch.ones_like(logits))), rel=1e-5
    )


def test_the_autoencoder_goes_down_by_strides_and_back_by_transposed_convolutions():
    net = build("autoencoder", load("autoencoder").options).body
    down = [(m.out_channels, m.stride) for m in net.encoder.modules() if isinstance(m, torch.nn.Conv2d)]
    up = [m.out_channels for m in net.modules() if isinstance(m, torch.nn.ConvTranspose2d)]
    assert down == [(64, (2, 2)), (128, (2, 2)), (256, (2, 2)), (512, (2, 2))]
    assert up == [256, 128, 64, 3]
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules()) == 7


def test_the_second_part_goes_on_from_the_first_and_from_damaged_pictures_alone(photos, tmp_path):
    assert first_run("resnet-transfer-second") == "resnet-transfer"
    recipe = load("resnet-transfer-second")
    assert (recipe.data.damage, recipe.critic.weight, recipe.loss.hole_l2) == ("find", 0.001, 4.0)
    learned(short("resnet-transfer"), photos, tmp_path / "first")
    said = []
    second = override(short("resnet-transfer-second"), [f"transfer.weights={tmp_path / 'first'}"])
    learned(second, photos, tmp_path / "second", said)
    assert any(line.startswith(f"starts from {tmp_path / 'first'}") for line in said)


def test_the_encoder_comes_from_a_file_and_classes_are_learned_beside_it(photos, tmp_path):
    for number, path in enumerate(sorted(photos.iterdir())):
        folder = photos / ("sea", "wood")[number % 2]
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    weights = tmp_path / "squeezenet.h5"
    torch.manual_seed(1)
    net = SqueezeNet()
    with h5py.File(weights, "w") as file:  # as Keras lays it down
        for name, module in net.named_modules():
            if isinstance(module, torch.nn.Conv2d):
                group = file.create_group(name.replace(".", "/"))
                group["kernel"] = module.weight.detach().permute(2, 3, 1, 0).numpy()
                group["bias"] = module.bias.detach().numpy()
    said = []
    settings = [f"transfer.weights={weights}", "tasks.classification=0.01"]
    outcome = learned(override(short("resnet-transfer"), settings), photos, tmp_path / "run", said)
    assert "the encoder starts from squeezenet.h5" in said
    assert 0 <= outcome.scores["accuracy"] <= 1


def test_without_timm_the_encoder_is_ours_and_a_line_says_so(monkeypatch):
    monkeypatch.setattr(fallbacks, "find_spec", lambda name: None)
    recipe, notes = fallbacks.without_files(load("resnet-transfer"))
    assert recipe.options["encoder"] == "squeezenet"
    assert any("pip install 'remend[timm]'" in note for note in notes)
    assert build(recipe.net, recipe.options).size_multiple


def test_each_has_a_row_on_the_page_of_tutorials():
    page = (Path(__file__).parents[2] / "docs" / "models" / "tutorials.md").read_text(encoding="utf-8")
    for name in RECIPES:
        assert f"| `{name}` |" in page
        text = (resources.files("remend.train") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
        assert "docs/models/tutorials.md" in text
        assert tomllib.loads(text)
