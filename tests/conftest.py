"""Shared fixtures: where the real pictures lie, and a skip with a reason where they do not."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """The folder of real pictures that developers have beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("needs the real pictures of ../shared/data, which are not part of the repository")
    return SHARED


@pytest.fixture(autouse=True)
def no_added_models(tmp_path_factory, monkeypatch):
    """What whoever runs the tests has added must not change them."""
    monkeypatch.setenv("REMEND_MODELS", str(tmp_path_factory.getbasetemp() / "models"))
