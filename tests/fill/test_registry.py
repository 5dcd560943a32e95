"""Fillers by name, registered from outside, and handed over as objects; the example of CONTRIBUTING.md."""

import re
from pathlib import Path

import numpy as np
import pytest

import remend
from remend.errors import UsageError
from remend.fill import filler as contract
from remend.fill.registry import ENTRIES, filler_named, filler_of
from remend.options import Settings
from remend.pipeline import plan_repair

GUIDE = Path(__file__).parents[2] / "CONTRIBUTING.md"
IMAGE = np.full((40, 50, 3), 90, np.uint8)
HOLE = np.zeros((40, 50), bool)
HOLE[10:13, 5:40] = True


@pytest.fixture
def mean(monkeypatch):
    """The class of CONTRIBUTING.md, registered for one test."""
    monkeypatch.setattr(contract, "REGISTERED", registered := dict(contract.REGISTERED))
    monkeypatch.setattr("remend.fill.registry.REGISTERED", registered)
    (code,) = re.findall(
        r"## A new filler.*?```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
    )
    names: dict = {}
    exec(code, names)
    yield names["Mean"]
    filler_named.cache_clear()


def test_the_example_fills_by_name_and_as_an_object(mean):
    image = IMAGE.copy()
    image[20:, :, 0] = 190
    assert "mean" in ENTRIES
    named = remend.repair(image, HOLE, method="mean", grain=0)
    np.testing.assert_array_equal(named[~HOLE], image[~HOLE])
    assert (named[HOLE][:, 0] != 90).any() and (named[HOLE][:, 1:] == 90).all()
    np.testing.assert_array_equal(remend.repair(image, HOLE, method=mean(), grain=0), named)


def test_an_object_needs_no_name_that_others_know(mean):
    mean.name = "nobody knows"
    (step,) = plan_repair(remend.Picture(IMAGE, "RGB"), HOLE, Settings(method=mean())).steps
    assert step.filler == "nobody knows"
    with pytest.raises(UsageError, match="unknown method"):
        remend.repair(IMAGE, HOLE, method="nobody knows")


def test_an_object_goes_before_the_filler_whose_name_it_has(mean):
    mean.name = "smooth"
    image = IMAGE + np.arange(50, dtype=np.uint8)[:, None]
    ours = remend.repair(image, HOLE, method=mean(), grain=0)
    assert (ours != remend.repair(image, HOLE, method="smooth", grain=0)).any()


@pytest.mark.parametrize("name", ["smooth", "neural-thin", "auto", "net.onnx"])
def test_a_name_is_given_once(name):
    list(ENTRIES)
    with pytest.raises(UsageError, match=f"{name}.*taken"):
        remend.register(name, summary="another")


@pytest.mark.parametrize("method", [None, 3, object(), Path("net.onnx"), remend.Filled])
def test_what_is_no_method_is_refused(method):
    with pytest.raises(UsageError, match=r"a method is a name, the path of .* file, or a filler"):
        remend.repair(IMAGE, HOLE, method=method)


def test_a_class_is_no_filler_yet(mean):
    with pytest.raises(UsageError, match="got a type"):
        filler_of(mean)


def test_the_fillers_of_the_house_are_found():
    assert list(ENTRIES) == sorted(ENTRIES)
    assert len(ENTRIES) == len(list(ENTRIES))
    assert {"biharmonic", "criminisi", "exemplar", "neural", "smooth", "telea"} <= set(ENTRIES)
    assert all(entry.summary and entry.reference for entry in ENTRIES.values())
