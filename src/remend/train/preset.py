"""``--preset small``: a recipe cut down to some 6 to 25 minutes of one CPU.

What a recipe's own ``[small]`` table says holds before all else: ``[small.options]``, ``[small.train]`` and
so on override the keys of the sections of these names. Everything else is scaled:

| key | becomes |
|---|---|
| ``train.samples`` | 40,000 at most |
| ``train.batch`` | 8 at most |
| ``data.crop_px``, ``data.validation_px`` | 128 at most |
| ``data.validation`` | 60 at most |
| ``critic.from_samples``, ``transfer.freeze_until`` | the same share of the run as before |
| ``train.warmup``, ``train.ema_half_life`` | a twentieth of the samples at most |
| ``train.log_every``, ``train.validate_every`` | a hundredth and an eighth of the samples |

Learning rates and weights of losses stay, and so does the net, unless the recipe says otherwise: how narrow
it may be is its own business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["merged", "small"]

_SAMPLES, _BATCH, _SIDE, _ASIDE = 40_000, 8, 128, 60
_SHARE = 20  # of the samples: warm-up and averaging
_LINES, _LOOKS = 100, 8


def small(content: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe cut down.

    Args:
        content: the whole recipe as plain values, every key there.
        own: its ``[small]`` table.

    Returns:
        The same keys, as plain values.
    """
    data, plan = content["data"], content["train"]
    stated = {name: own.get(name, {}) for name in ("data", "critic", "transfer", "train")}
    samples = stated["train"].get("samples", min(plan["samples"], _SAMPLES))
    batch = stated["train"].get("batch", min(plan["batch"], _BATCH))
    shrunk = samples / max(plan["samples"], 1)

    def share(count: int) -> int:
        return round(count * shrunk / batch) * batch

    scaled = {
        "data": {
            "crop_px": min(data["crop_px"], _SIDE),
            "validation_px": min(data["validation_px"], _SIDE),
            "validation": min(data["validation"], _ASIDE),
        },
        "critic": {"from_samples": share(content["critic"]["from_samples"])},
        "transfer": {"freeze_until": share(content["transfer"]["freeze_until"])},
        "train": {
            "samples": samples,
            "batch": batch,
            "warmup": min(plan["warmup"], samples // _SHARE),
            "ema_half_life": max(1, min(plan["ema_half_life"], samples // _SHARE)),
            "log_every": max(batch, samples // _LINES),
            "validate_every": max(batch, samples // _LOOKS),
            "loaders": 1,
        },
    }
    return merged(merged(content, scaled), own)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Tables within tables; where both have a key, the second counts.

    >>> merged({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": 5}})
    {'a': {'x': 1, 'y': 5}, 'b': 3}
    """
    result = dict(one)
    for key, value in other.items():
        before = result.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[key] = merged(before, value) if both else value  # type: ignore[arg-type]
    return result
