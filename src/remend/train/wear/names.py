"""The kinds of wear that ``data.damage`` may name, and their ranges; needs no torch."""

from __future__ import annotations

from remend.errors import UsageError

__all__ = ["KINDS", "ranges_of"]

KINDS = {"blur": (0.0, 16.0), "noise": (0.0, 255.0), "jpeg": (1.0, 100.0)}
"""Each kind with the least and the most that it may be told, in the order in which they are laid on."""


def ranges_of(damage: str) -> dict[str, tuple[float, float]]:
    """Least and most of each kind that ``damage`` names; empty where it is something else, as a folder.

    Raises:
        UsageError: a kind, or a range, that cannot be meant.

    >>> ranges_of("noise:5-50,jpeg:20-90")
    {'noise': (5.0, 50.0), 'jpeg': (20.0, 90.0)}
    >>> ranges_of("find"), ranges_of("")
    ({}, {})
    """
    parts = [part.strip() for part in damage.split(",")]
    if not any(part.partition(":")[0] in KINDS and ":" in part for part in parts):
        return {}
    ranges: dict[str, tuple[float, float]] = {}
    for part in parts:
        kind, _, span = part.partition(":")
        if kind not in KINDS or kind in ranges:
            raise UsageError(
                f"data.damage names each of {', '.join(KINDS)} once, as in noise:5-50,jpeg:20-90; "
                f"got {part!r}"
            )
        low, high = KINDS[kind]
        try:
            least, _, most = span.partition("-")
            ranges[kind] = float(least), float(most or least)
        except ValueError:
            raise UsageError(f"data.damage={part} is no range: write {kind}:{low:g}-{high:g}") from None
        if not low <= ranges[kind][0] <= ranges[kind][1] <= high:
            raise UsageError(f"data.damage={part} lies outside of {low:g} to {high:g}: give least-most")
    return {kind: ranges[kind] for kind in KINDS if kind in ranges}
