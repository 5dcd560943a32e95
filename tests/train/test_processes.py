"""What only several processes can show: equality over devices, and lives that end by `kill -9`."""

import importlib.util

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)
pytest.importorskip("benchmarks.kill_nine", reason="benchmarks lie in the root of the checkout")

from benchmarks import ddp_equality, kill_nine  # noqa: E402
from benchmarks.tiny_training import RECIPE  # noqa: E402
from made_coco import write_coco  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("critic", [False, True], ids=["alone", "against a critic"])
def test_two_processes_learn_what_one_does(tmp_path, critic):
    figures = ddp_equality.compare(tmp_path, critic=critic, steps=12)
    assert figures["losses"] < ddp_equality.BAR
    assert figures["weights"] < ddp_equality.BAR


def test_two_processes_learn_the_same_tasks(tmp_path):
    """Their samples with a label are not equally many, and the mean is over all of them."""
    source = write_coco(tmp_path / "coco", 16, unlabelled=8)
    tasks = {"classification": 1.0, "segmentation": 1.0, "detection": 0.1, "width": 8}
    recipe = RECIPE | {"tasks": tasks, "train": RECIPE["train"] | {"samples": 48, "validate_every": 10**6}}
    for devices in (1, 2):
        ddp_equality.train(recipe, source, tmp_path / f"on-{devices}", devices)
    one, two = tmp_path / "on-1", tmp_path / "on-2"
    columns = ("hole", "total", *tasks.keys() - {"width"}, "weight_restoration", "weight_classification")
    assert ddp_equality.of_logs(one, two, columns) < ddp_equality.BAR
    assert ddp_equality.of_weights(one, two) < ddp_equality.BAR


def test_a_run_that_was_killed_is_the_run_that_was_not(tmp_path):
    result = kill_nine.torment(tmp_path, kills=3)
    assert result.kills == 3
    assert result.same_log
    assert result.differing == []
    assert result.leftover == []
    assert result.most_lost <= result.save_interval
