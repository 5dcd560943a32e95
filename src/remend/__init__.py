"""Remend repairs damaged pictures.

>>> import remend
>>> remend.repair("photo.jpg")  # doctest: +SKIP
'photo.repaired.jpg'

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from remend.privacy import keep_quiet

__version__ = "0.1.0"

_HOME = {
    "Bounds": "remend.options",
    "Box": "remend.picture",
    "Capabilities": "remend.fill.filler",
    "Filled": "remend.picture",
    "Filler": "remend.fill.filler",
    "MaskOptions": "remend.options",
    "Picture": "remend.picture",
    "Region": "remend.picture",
    "RemendError": "remend.errors",
    "RestoreOptions": "remend.options.restoration",
    "Settings": "remend.options",
    "crop": "remend.api",
    "detect": "remend.api",
    "evaluate": "remend.evaluation",
    "make_mask": "remend.damage.synth",
    "read_picture": "remend.io",
    "register": "remend.fill.filler",
    "register_finder": "remend.damage.finder",
    "repair": "remend.api",
    "repair_file": "remend.repairing",
    "restore": "remend.api",
    "write_picture": "remend.io",
}

__all__ = [
    "Bounds",
    "Box",
    "Capabilities",
    "Filled",
    "Filler",
    "MaskOptions",
    "Picture",
    "Region",
    "RemendError",
    "RestoreOptions",
    "Settings",
    "__version__",
    "crop",
    "detect",
    "evaluate",
    "make_mask",
    "read_picture",
    "register",
    "register_finder",
    "repair",
    "repair_file",
    "restore",
    "write_picture",
]

keep_quiet()

if TYPE_CHECKING:
    from remend.api import crop, detect, repair, restore
    from remend.damage.finder import register_finder
    from remend.damage.synth import make_mask
    from remend.errors import RemendError
    from remend.evaluation import evaluate
    from remend.fill.filler import Capabilities, Filler, register
    from remend.io import read_picture, write_picture
    from remend.options import Bounds, MaskOptions, Settings
    from remend.options.restoration import RestoreOptions
    from remend.picture import Box, Filled, Picture, Region
    from remend.repairing import repair_file


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
