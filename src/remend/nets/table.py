"""The nets as a table for the docs: what was measured here, beside what the papers print."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from remend.errors import WriteError
from remend.nets.registry import NETS

if TYPE_CHECKING:
    from remend.nets.costs import Costs

__all__ = ["BEGIN", "END", "markdown", "published", "write_into"]

BEGIN, END = "<!-- made by remend nets --figures: begin -->", "<!-- made by remend nets --figures: end -->"


def published() -> dict[str, dict[str, str]]:
    """By net: ``code``, ``licence``, ``figures``, ``protocol`` and ``source`` of the paper's own."""
    text = (resources.files("remend.nets") / "published.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(text)
    return tables


def markdown(measured: Mapping[str, Costs], machine: str) -> str:
    """Both tables as Markdown.

    Args:
        measured: by name, in the order of the rows.
        machine: on which.
    """
    lines = [
        "| net | parameters | GMAC 256² | GMAC 512² | torch, ms | ONNX Runtime, ms | training, MiB | ONNX |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_ours(name, cost) for name, cost in measured.items()]
    some = next(iter(measured.values()))
    lines += [
        "",
        f"Default options, fresh weights. Times: one picture of {some.side_px}², fp32, {some.threads} "
        f"thread{'s' if some.threads > 1 else ''}, the median of three"
        f"{' (processor time)' if some.threads == 1 else ''}. Training: weights, Adam and "
        "activations of 8 crops of 128² in fp32, L1 alone, without a critic. ONNX: the largest difference "
        f"to torch, as a share of the largest answer where that is above 1. {machine}.",
        "",
        "What the papers print of their own nets; sets, holes and metrics differ, so that no two rows can be "
        "compared, nor any with ours:",
        "",
        "| net | figures | on | source | authors' code | its licence |",
        "|---|---|---|---|---|---|",
    ]
    theirs = published()
    lines += [_theirs(name, theirs.get(name, {})) for name in measured if NETS[name].doi or name in theirs]
    return "\n".join(lines) + "\n"


def write_into(path: Path, table: str) -> None:
    """Put the table into a page: between its two markers, or at the end; a page that is not there is made.

    Raises:
        WriteError: it cannot be read or written.
    """
    try:
        page = path.read_text(encoding="utf-8") if path.exists() else "# Architectures\n"
        before, begin, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        if not begin:
            before, after = page.rstrip("\n") + "\n\n", "\n"
        draft = path.with_name(f".{path.name}.part")
        draft.write_text(f"{before}{BEGIN}\n\n{table}\n{END}{after}", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise WriteError(
            f"the page {path} cannot be written ({error.strerror}): choose another place"
        ) from error


def _ours(name: str, cost: Costs) -> str:
    cells = [
        f"`{name}`",
        f"{cost.parameters / 1e6:.1f} M",
        f"{cost.gmac_256:.1f}",
        f"{cost.gmac_512:.1f}",
        _number(cost.torch_ms),
        _number(cost.onnx_ms),
        _number(cost.training_mib),
        cost.export,
    ]
    return f"| {' | '.join(cells)} |"


def _theirs(name: str, stated: Mapping[str, str]) -> str:
    doi = NETS[name].doi
    source = stated.get("source", "")
    if doi:
        source = f"[{source or 'the paper'}](https://doi.org/{doi})"
    keys = ("figures", "protocol", "code", "licence")
    figures, protocol, code, licence = (stated.get(key) or "–" for key in keys)
    return f"| `{name}` | {figures} | {protocol} | {source or '–'} | {code} | {licence} |"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.0f}"
