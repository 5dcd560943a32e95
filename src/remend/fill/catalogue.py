"""All fillers by name. Nothing is imported until it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from remend.errors import UsageError
from remend.fill.filler import Filler

__all__ = ["ENTRIES", "Entry", "filler_named", "is_model_file"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `remend methods`.

    Attributes:
        place: ``module:attribute`` of a callable without arguments that makes the filler.
        summary: what it is good for, in one line.
        reference: the paper.
    """

    place: str
    summary: str
    reference: str


ENTRIES: dict[str, Entry] = {
    "telea": Entry(
        "remend.fill.pde:Telea",
        "fast marching; quick, for thin damage",
        "Telea, An image inpainting technique based on the fast marching method, JGT 2004",
    ),
    "navier-stokes": Entry(
        "remend.fill.pde:NavierStokes",
        "continues isophotes; quick, for thin damage",
        "Bertalmio, Bertozzi, Sapiro, Navier-Stokes, fluid dynamics and inpainting, CVPR 2001",
    ),
    "biharmonic": Entry(
        "remend.fill.biharmonic:Biharmonic",
        "thin plate through the rim and its slope; for thin damage",
        "Damelin, Hoang, On surface completion and image inpainting by biharmonic functions, IJMMS 2018",
    ),
    "smooth": Entry(
        "remend.fill.biharmonic:smooth",
        "plate under tension: the most accurate smooth fill, thin or wide, but without texture",
        "Smith, Wessel, Gridding with continuous curvature splines in tension, Geophysics 1990",
    ),
    "exemplar": Entry(
        "remend.fill.exemplar:Exemplar",
        "copies patches of the surroundings; for wide holes with texture",
        "Wexler, Shechtman, Irani, Space-time completion of video, TPAMI 2007",
    ),
    "criminisi": Entry(
        "remend.fill.criminisi:Criminisi",
        "copies patch by patch, strong edges first; slow, for small holes across structure",
        "Criminisi, Pérez, Toyama, Region filling and object removal by exemplar-based inpainting, TIP 2004",
    ),
    "neural": Entry(
        "remend.fill.neural:wide",
        "the embedded net; for wide holes",
        "its card, weights/inpaint.json",
    ),
    "neural-exemplar": Entry(
        "remend.fill.neural:textured",
        "the embedded net says what goes where, copies of the surroundings how it looks; for wide holes",
        "Hertzmann et al., Image analogies, SIGGRAPH 2001",
    ),
    "neural-thin": Entry(
        "remend.fill.neural:thin",
        "the embedded net for thin damage: scratches, dust, text",
        "its card, weights/inpaint-thin.json",
    ),
}


def is_model_file(method: str) -> bool:
    """Whether ``--method`` names a file rather than an entry."""
    return method.lower().endswith(".onnx")


@lru_cache(maxsize=16)
def filler_named(method: str) -> Filler:
    """The filler of that name, or the runner of that ONNX file.

    Args:
        method: a key of ENTRIES, or a path that ends in ``.onnx``.

    Raises:
        UsageError: no such name.
        ModelError: a model file that is missing, damaged or breaks the contract.
    """
    if is_model_file(method):
        from remend.fill.neural import Neural

        return Neural.load(Path(method))
    entry = ENTRIES.get(method)
    if entry is None:
        raise UsageError(
            f"unknown method {method!r}: choose auto, {', '.join(ENTRIES)}, or the path of an .onnx file"
        )
    module, _, attribute = entry.place.partition(":")
    filler: Filler = getattr(import_module(module), attribute)()
    return filler
