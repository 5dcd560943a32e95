"""Learning from pictures of which none is whole: what is damaged is never shown, wanted or judged.

Unsupervised learning for a domain whose clean pictures nobody has, an archive above all. Each picture's
damage is known from masks or found by ``remend.damage.find``. Holes are then made in what is left: the net
sees neither hole nor damage, fills both, and is held to the truth where there is one.

The idea: Pathak et al., "Context Encoders: Feature Learning by Inpainting", CVPR 2016,
doi:10.1109/CVPR.2016.278 (what was hidden on purpose is its own truth); Lehtinen et al., "Noise2Noise", ICML
2018, doi:10.48550/arXiv.1803.04189 (clean pictures need not be seen).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.find import find_damage
from remend.errors import UsageError
from remend.kinds import seen_kinds
from remend.picture import Bool

__all__ = ["Damage", "blanked"]

_FOUND = "find"
_SUFFIXES = {".png", ".webp", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
# Found damage ends where the eye sees it end; its soft rim is damage too.
_DILATION_PX = 2
_WHITE = 128


@dataclass(frozen=True)
class Damage:
    """Where each picture is damaged. Make it with ``Damage.of``; threads may share it.

    Attributes:
        files: mask files by the stem of the picture's name; None = damage is looked for.
    """

    files: dict[str, Path] | None
    _kept: dict[str, NDArray[np.uint8]] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of(source: str, names: Sequence[str]) -> Damage | None:
        """What ``data.damage`` says.

        Args:
            source: ``""`` = pictures are whole; ``find``; or a folder of masks called like the pictures,
                white = damaged. A picture without a mask there is whole.
            names: of the pictures.

        Raises:
            UsageError: no folder, or no mask in it is called like a picture.
        """
        if not source:
            return None
        if source == _FOUND:
            return Damage(None)
        folder = Path(source).expanduser()
        if not folder.is_dir():
            raise UsageError(f"data.damage={source} is no folder: give find, or a folder of masks")
        files = {path.stem: path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES}
        if not any(_stem(name) in files for name in names):
            raise UsageError(
                f"no mask in data.damage={source} is called like a picture ({_stem(names[0])}.png …): "
                "rename them, or give find"
            )
        return Damage(files)

    def __call__(self, name: str, picture: NDArray[np.uint8]) -> Bool:
        """(H, W) bool, True = damaged. Kept as bits once known.

        Raises:
            UsageError: a mask that cannot be read, or of another size.

        Cost: at first use 0.6 s a megapixel if it is looked for.
        """
        height, width = picture.shape[:2]
        bits = self._kept.get(name)
        if bits is None:
            mask = self._found(picture) if self.files is None else self._given(name, picture)
            self._kept[name] = bits = np.packbits(mask, axis=1)  # two threads may do it: it is the same
        return np.unpackbits(bits, axis=1)[:height, :width].view(np.bool_)

    def _found(self, picture: NDArray[np.uint8]) -> Bool:
        mask = np.zeros(picture.shape[:2], np.uint8)
        for region in find_damage(picture, kinds=seen_kinds()):
            mask[region.box.slices] |= region.mask
        side = 2 * _DILATION_PX + 1
        return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)) > 0)

    def _given(self, name: str, picture: NDArray[np.uint8]) -> Bool:
        assert self.files is not None
        path = self.files.get(_stem(name))
        if path is None:
            return np.zeros(picture.shape[:2], np.bool_)
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise UsageError(f"the mask {path} of data.damage cannot be read: mend it or take it away")
        if mask.shape != picture.shape[:2]:
            raise UsageError(
                f"the mask {path.name} of data.damage is {mask.shape[1]}×{mask.shape[0]}, its picture "
                f"{picture.shape[1]}×{picture.shape[0]}: make them equal"
            )
        return np.asarray(mask >= _WHITE)


def blanked(crop: NDArray[np.uint8], damage: Bool) -> NDArray[np.uint8]:
    """The crop with the mean of its known pixels where it is damaged.

    Done before it is resized, compressed or grained, so that no trace of the damage spreads.

    Args:
        crop: (H, W, 3) uint8.
        damage: (H, W).
    """
    if not damage.any():
        return crop
    known = crop[~damage]
    clean = crop.copy()
    clean[damage] = known.mean(axis=0).round().astype(np.uint8) if len(known) else 128
    return clean


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
