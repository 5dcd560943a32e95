import importlib.util

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Tiny nets gain nothing from threads, and lose a hundredfold where tests run side by side."""
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)
