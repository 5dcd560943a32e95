"""The configuration of a training run: a recipe and its sections, one file each."""

from remend.train.config.critic import Critic
from remend.train.config.data import Data
from remend.train.config.learning import Tasks, Train, Transfer
from remend.train.config.loss import Loss
from remend.train.config.recipe import (
    Recipe,
    as_dict,
    digest,
    first_run,
    from_dict,
    load,
    override,
    without_folders,
)

__all__ = [
    "Critic",
    "Data",
    "Loss",
    "Recipe",
    "Tasks",
    "Train",
    "Transfer",
    "as_dict",
    "digest",
    "first_run",
    "from_dict",
    "load",
    "override",
    "without_folders",
]
