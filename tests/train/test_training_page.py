"""Every command of docs/training.md is run, and every setting that it names is one that a recipe has.

On tiny data and narrow nets: what is added to a line is what makes it short.
"""

import dataclasses
import importlib.util
import re
import shlex
import tarfile
import tomllib
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from click.testing import CliRunner  # noqa: E402

from made_coco import write_coco  # noqa: E402
from remend.cli.main import remend as command_line  # noqa: E402
from remend.nets import costs  # noqa: E402
from remend.nets.squeezenet import SqueezeNet  # noqa: E402
from remend.train.config import Recipe, from_dict, override  # noqa: E402
from remend.train.run import loop  # noqa: E402
from tiny_nets import TINY  # noqa: E402

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
SPANS = re.findall(r"`([^`]+)`", PROSE)
BLOCKS = re.findall(r"```\n(.*?)```", PAGE, flags=re.DOTALL)
OWN_LOOPS = ("restorer", "enlarger")
SHORT = ["data.crop_px=64", "data.validation_px=64", "train.samples=8", "train.batch=4", "train.loaders=1"]


def commands():
    """Each command once: lines of blocks up to what is said of them, and what stands whole in a sentence."""
    lines = [line for block in BLOCKS for line in block.splitlines() if line.startswith("remend ")]
    found = [re.split(r"\s{2,}", line)[0] for line in lines]
    found += [span for span in SPANS if re.match(r"remend (train|export) .*(--data|-o) ", span)]
    return list(dict.fromkeys(found))


def narrow(recipe):
    options = [f"options.{key}={_toml(value)}" for key, value in TINY[recipe].items()]
    return [*SHORT, *options]


def _toml(value):
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def keras_file(path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(path, "w") as file:
        for name, module in SqueezeNet().named_modules():
            if isinstance(module, torch.nn.Conv2d):
                group = file.create_group(name.replace(".", "/"))
                group["kernel"] = module.weight.detach().permute(2, 3, 1, 0).numpy()
                group["bias"] = module.bias.detach().numpy()


@pytest.fixture
def desk(photos, tmp_path, monkeypatch):
    """What the page's reader has: pictures, a shard, weights, a picture with a mask, and a run."""
    import cv2
    import numpy as np

    monkeypatch.chdir(tmp_path)
    for path in sorted(photos.iterdir()):
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (224, 192)))
    with tarfile.open("more-000.tar", "w") as shard:
        shard.add(photos / "00.png", "a/00.png")
    keras_file(tmp_path / "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5")
    keras_file(tmp_path / "squeezenet.h5")
    write_coco(tmp_path / "coco", 12)
    cv2.imwrite("photo.jpg", cv2.imread(str(photos / "00.png")))
    mask = np.zeros((192, 224), np.uint8)
    mask[40:60, 40:60] = 255
    cv2.imwrite("mask.png", mask)
    monkeypatch.setattr(costs, "_training_mib", lambda *_: 12.0)
    return tmp_path


def run(words):
    answer = CliRunner().invoke(command_line, words, catch_exceptions=False)
    assert answer.exit_code == 0, f"remend {shlex.join(words)}\n{answer.output}\n{answer.stderr}"
    return answer


def typed(command, number, monkeypatch):
    """A line of the page as it is run here."""
    words = shlex.split(command.replace("…", ""))[1:]
    if words[0] == "train":
        words += [] if "--out" in words else ["--out", f"runs/line-{number}"]
        if words[1] in OWN_LOOPS:
            return [*words, "--fast-dev-run"]
        words += [word for setting in narrow(words[1]) for word in ("--set", setting)]
    if words[:2] == ["nets", "--figures"]:
        measured = costs.costs("remend", TINY["remend"], side_px=64)
        monkeypatch.setattr(costs, "costs", lambda *_, **__: measured)
        Path("docs").mkdir()
    return words


def test_every_command_of_the_page_runs_in_the_order_in_which_it_stands(desk, monkeypatch):
    listed, restorer_run = commands(), ""
    assert len(listed) >= 14
    for number, command in enumerate(listed):
        words = typed(command, number, monkeypatch)
        if (
            "--devices" in words
        ):  # processes for them: tests/train/test_devices.py; here, that they are asked for
            asked = []
            with monkeypatch.context() as patched:
                patched.setattr(loop, "train", lambda run, asked=asked: asked.append(run) or _Done())
                run(words)
            assert asked[0].devices == 2
            continue
        if "RUN" in words:
            words[words.index("RUN")] = restorer_run
        run(words)
        if words[0] == "train" and words[1] == "restorer":
            restorer_run = words[words.index("--out") + 1]
    assert Path("mine.onnx").exists()
    assert Path("mine.int8.onnx").exists()
    assert Path("restore.onnx").exists()


@dataclasses.dataclass
class _Done:
    first: bool = False


def test_every_setting_that_the_page_names_is_one_of_a_recipe():
    recipe = Recipe("remend")
    sections = {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)}
    named = {span for span in SPANS if re.match(r"(data|loss|critic|tasks|transfer|train)\.[a-z_0-9]+", span)}
    assert len(named) >= 20
    for span in named:
        section, _, key = re.split(r"\s*=", span)[0].partition(".")
        assert hasattr(sections[section], key), span


def test_every_setting_that_the_page_sets_can_be_set():
    told = re.findall(r"--set '([^']+)'|--set ([^\s`]+)", PAGE)
    settings = {quoted or plain for quoted, plain in told} - {"section.key=value", "minutes=85"}
    assert len(settings) >= 6
    for setting in settings:
        assert override(Recipe("remend"), [setting])


def test_every_table_of_a_recipe_that_the_page_shows_is_one():
    shown = [block for block in BLOCKS if re.match(r"\[\w+\]\n", block)]
    assert shown
    for block in shown:
        assert from_dict({"net": "remend", **tomllib.loads(block)})


def test_every_module_and_tool_that_the_page_runs_is_there():
    modules = re.findall(r"python -m ([\w.]+)", PAGE)
    tools = re.findall(r"`(tools/\w+\.py)", PAGE) + re.findall(r"`(benchmarks/\w+\.py)", PAGE)
    assert modules and tools
    for name in modules:
        assert (ROOT / f"{name.replace('.', '/')}.py").exists(), name
    for name in tools:
        assert (ROOT / name).exists(), name
