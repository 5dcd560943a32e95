"""How metrics are written where people read them, and which way is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Shown", "in_order", "number", "shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One metric as people read it.

    Attributes:
        heading: with its unit.
        factor: to that unit.
        decimals: worth showing.
        better: "higher", "lower", or nearer to "one".
    """

    heading: str
    factor: float
    decimals: int
    better: Literal["higher", "lower", "one"]


_KNOWN: dict[str, Shown] = {
    "psnr_hole": Shown("PSNR hole dB", 1, 2, "higher"),
    "ssim_hole": Shown("SSIM hole", 1, 4, "higher"),
    "l1_hole": Shown("L1 hole %", 100, 2, "lower"),
    "sharp": Shown("SHARP", 1, 3, "one"),
    "pd": Shown("PD", 1, 3, "lower"),
    "ws_psnr_hole": Shown("WS-PSNR hole dB", 1, 2, "higher"),
    "ws_psnr": Shown("WS-PSNR dB", 1, 2, "higher"),
    "psnr": Shown("PSNR dB", 1, 2, "higher"),
    "ssim": Shown("SSIM", 1, 4, "higher"),
    "l1": Shown("L1 %", 100, 2, "lower"),
}

# Learned metrics carry what they were made with at the end of their names.
_KINDS: dict[str, Shown] = {
    "pd": Shown("PD ({})", 1, 3, "lower"),
    "lpips": Shown("LPIPS ({})", 1, 4, "lower"),
    "fid": Shown("FID, {} features", 1, 2, "lower"),
    "kid": Shown("KID×1000, {} features", 1000, 2, "lower"),
    "pids": Shown("P-IDS %, {} features", 100, 1, "higher"),
    "uids": Shown("U-IDS %, {} features", 100, 1, "higher"),
}


def shown(name: str) -> Shown:
    """How to write the metric of that name; one never heard of is written as it is.

    >>> shown("lpips_vgg").heading, shown("fid_squeezenet_fire9").heading
    ('LPIPS (vgg)', 'FID, squeezenet fire9 features')
    """
    if name in _KNOWN:
        return _KNOWN[name]
    kind, _, made_with = name.partition("_")
    if kind in _KINDS and made_with:
        known = _KINDS[kind]
        heading = known.heading.format(made_with.replace("_", " "))
        return Shown(heading, known.factor, known.decimals, known.better)
    return Shown(name, 1, 4, "higher")


def in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Metrics in the order of tables: the hole's first."""
    known = [name for name in _KNOWN if name in names]
    learned = [name for name in names if name not in _KNOWN]
    at = known.index("psnr") if "psnr" in known else len(known)
    return (*known[:at], *learned, *known[at:])


def number(name: str, value: float | None, *, signed: bool = False) -> str:
    """A value in its unit; "–" where there is none.

    >>> number("l1", 0.0316), number("psnr", float("nan")), number("pd", 0.1, signed=True)
    ('3.16', '–', '+0.100')
    """
    if value is None or not math.isfinite(value):
        return "–"
    how = shown(name)
    return f"{value * how.factor:{'+' if signed else ''}.{how.decimals}f}"
