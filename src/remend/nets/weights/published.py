"""Published weights under their authors' names, mapped onto our nets: the same answers, up to rounding.

Known are LaMa and Big LaMa, AOT-GAN (of its authors and of mmagic), MI-GAN as served, and EdgeConnect. What
kind of file they come in does not matter: they are told by names and shapes. Where a net of ours is shown the
picture another way than its authors' (centred, with grey holes), the difference is folded into its first
layer; what happens at the frame is an option of the net (``as_released``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from remend.errors import ModelError

__all__ = ["Published", "published"]

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Published:
    """Weights that were recognised.

    Attributes:
        net: a name of ``NETS``.
        options: of that net, so that the weights fit.
        tensors: under the net's own names; of EdgeConnect one of the two nets only.
        origin: whose they are.
        licence: of the authors' code and weights, as far as they say.
        notes: what is left out, a line each.
    """

    net: str
    options: dict[str, Any]
    tensors: Tensors
    origin: str
    licence: str
    notes: tuple[str, ...] = field(default=())


def published(tensors: Mapping[str, Tensor]) -> Published:
    """Recognise foreign weights by names and shapes.

    Args:
        tensors: as ``read_foreign`` or safetensors give them, under any prefix (``state_dict.generator.``).
            Where there are averaged weights beside (``ema`` in the prefix), those are taken.

    Raises:
        ModelError: weights of no known net, or of a variant that our net cannot be made into.
    """
    for anchor, read in _KNOWN.items():
        pattern = re.compile(rf"(^|.*\.){anchor}$")
        prefixes = sorted({found[1] for name in tensors if (found := pattern.match(name))})
        if prefixes:
            prefix = max(prefixes, key=lambda p: ("ema" in p, -len(p)))
            own = {n.removeprefix(prefix): t.float() for n, t in tensors.items() if n.startswith(prefix)}
            try:
                return read(own)
            except (KeyError, IndexError, RuntimeError) as error:
                raise ModelError(
                    f"these weights look like a net that is known here, but {error} does not fit: "
                    "a variant that is not read"
                ) from error
    first = ", ".join(list(tensors)[:3])
    raise ModelError(
        f"these are weights of no net that is known here ({first} …): LaMa, AOT-GAN, MI-GAN as served and "
        "EdgeConnect are"
    )


def _lama(own: Tensors) -> Published:
    blocks = sorted({int(found[1]) for name in own if (found := re.match(r"model\.(\d+)\.conv1\.", name))})
    if any(".lfu." in name or name.endswith("gate.weight") for name in own) or blocks[0] != 5:
        raise ModelError("it is a LaMa with gates, local Fourier units or other halvings: not read")
    taken: Tensors = {}
    stem, bias = _stem(own["model.1.ffc.convl2l.weight"], scale=0.5, known=0.5, hole=-0.5)
    taken["down.0.weight"] = stem
    _norm(own, "model.1.bn_l", taken, "down.1")
    taken["down.1.running_mean"] -= bias  # the norm behind takes what a bias would be
    for step in (2, 3):
        taken[f"down.{3 * step - 3}.weight"] = own[f"model.{step}.ffc.convl2l.weight"]
        _norm(own, f"model.{step}.bn_l", taken, f"down.{3 * step - 2}")
    near, wide = (own[f"model.4.ffc.convl2{kind}.weight"] for kind in "lg")
    taken["down.9.weight"] = torch.cat([near, wide])
    halves: list[Tensors] = [{}, {}]
    for half, kind in zip(halves, "lg", strict=True):
        _norm(own, f"model.4.bn_{kind}", half, "down.10")
    taken |= {
        name: halves[0][name] if value.ndim == 0 else torch.cat([halves[0][name], value])
        for name, value in halves[1].items()
    }
    for number, at in enumerate(blocks):
        for theirs, ours in (("conv1", "first"), ("conv2", "second")):
            _fourier(own, f"model.{at}.{theirs}", taken, f"blocks.{number}.{ours}")
    after = blocks[-1] + 2
    for step in range(3):
        for part in ("weight", "bias"):
            taken[f"up.{3 * step}.{part}"] = own[f"model.{after + 3 * step}.{part}"]
        _norm(own, f"model.{after + 3 * step + 1}", taken, f"up.{3 * step + 1}")
    for part in ("weight", "bias"):
        taken[f"head.{part}"] = own[f"model.{after + 10}.{part}"]
    options = {
        "width": stem.shape[0],
        "blocks": len(blocks),
        "wide": wide.shape[0] / (near.shape[0] + wide.shape[0]),
    }
    whose = "Suvorov and others, Resolution-robust Large Mask Inpainting with Fourier Convolutions, WACV 2022"
    name = "Big LaMa" if len(blocks) == 18 else "LaMa-Fourier" if len(blocks) == 9 else "LaMa"
    return Published("lama", options, _of_body(taken), f"{name}: {whose}", "Apache-2.0")


def _fourier(own: Tensors, theirs: str, taken: Tensors, ours: str) -> None:
    """One Fourier convolution. Theirs has real and imaginary parts in turn, ours one behind the other."""
    for old, new in (("l2l", "near_near"), ("l2g", "near_wide"), ("g2l", "wide_near")):
        taken[f"{ours}.{new}.weight"] = own[f"{theirs}.ffc.conv{old}.weight"]
    deep = f"{theirs}.ffc.convg2g"
    taken[f"{ours}.wide_wide.narrow.0.weight"] = own[f"{deep}.conv1.0.weight"]
    _norm(own, f"{deep}.conv1.1", taken, f"{ours}.wide_wide.narrow.1")
    kernel = own[f"{deep}.fu.conv_layer.weight"]
    turn = torch.arange(kernel.shape[0]).view(-1, 2).t().reshape(-1)
    taken[f"{ours}.wide_wide.unit.conv.weight"] = kernel[turn][:, turn]
    _norm(own, f"{deep}.fu.bn", taken, f"{ours}.wide_wide.unit.norm", turn)
    taken[f"{ours}.wide_wide.widen.weight"] = own[f"{deep}.conv2.weight"]
    _norm(own, f"{theirs}.bn_l", taken, f"{ours}.near_norm")
    _norm(own, f"{theirs}.bn_g", taken, f"{ours}.wide_norm")


def _aot(own: Tensors) -> Published:
    return _aot_by(own, "encoder.{}", ("1", "3", "5"), "middle.{}.block{:02d}.1", "middle.{}.{}.1",
                   ("decoder.0.conv", "decoder.2.conv", "decoder.4"), "authors' release")  # fmt: skip


def _aot_of_mmagic(own: Tensors) -> Published:
    return _aot_by(own, "encoder.encoder.{}.conv", ("1", "2", "3"), "dilation_neck.model.{}.blocks.{}.1.conv",
                   "dilation_neck.model.{}.{}.1.conv",
                   tuple(f"decoder.decoder.{n}.conv" for n in range(3)), "mmagic's training")  # fmt: skip


def _aot_by(
    own: Tensors,
    encoder: str,
    stages: tuple[str, ...],
    look: str,
    part: str,
    decoder: tuple[str, ...],
    of_whom: str,
) -> Published:
    taken: Tensors = {}
    for place, stage in zip((0, 2, 4), stages, strict=True):
        _conv(own, encoder.format(stage), taken, f"down.{place}")
    # The authors' holes are white (1 of [-1, 1]), ours are 0.
    taken["down.0.weight"], _ = _stem(taken["down.0.weight"], scale=1.0, known=0.0, hole=1.0)
    blocks = 0
    while f"{look.format(blocks, 0)}.weight" in own:
        for number in range(4):
            _conv(own, look.format(blocks, number), taken, f"blocks.{blocks}.look.{number}")
        for name in ("fuse", "gate"):
            _conv(own, part.format(blocks, name), taken, f"blocks.{blocks}.{name}")
        blocks += 1
    for theirs, ours in zip(decoder, ("to_half", "to_full", "head"), strict=True):
        _conv(own, theirs, taken, ours)
    options = {"width": taken["down.0.weight"].shape[0], "blocks": blocks, "as_released": True}
    whose = "Zeng, Fu, Chao, Guo, Aggregated Contextual Transformations, IEEE TVCG 2023"
    return Published("aot_gan", options, _of_body(taken), f"AOT-GAN, {of_whom}: {whose}", "Apache-2.0")


def _migan(own: Tensors) -> Published:
    sides = sorted({int(found[1]) for name in own if (found := re.match(r"encoder\.b(\d+)\.", name))})
    taken: Tensors = {}
    _conv(own, f"encoder.b{sides[-1]}.fromrgb", taken, "stem")
    for number, side in enumerate(reversed(sides)):
        _separable(own, f"encoder.b{side}.conv1", taken, f"see.{number}")
        _separable(own, f"encoder.b{side}.conv2", taken, f"down.{number}")
    for number, side in enumerate(sides):
        _separable(own, f"synthesis.b{side}.conv1", taken, f"up.{number}")
        _separable(own, f"synthesis.b{side}.conv2", taken, f"think.{number}")
        _conv(own, f"synthesis.b{side}.torgb", taken, f"draw.{number}")
    widths = tuple(own[f"encoder.b{side}.conv1.conv1.weight"].shape[0] for side in reversed(sides))
    loud = max((float(t.abs()) for name, t in own.items() if name.endswith("noise_strength")), default=0.0)
    notes = (f"its fixed planes of noise, of strength {loud:.2g} at most, are left out",) if loud else ()
    whose = "Sargsyan, Navasardyan, Xu, Shi, MI-GAN, ICCV 2023"
    options = {"widths": widths, "branches": 0, "as_released": True}
    return Published("migan", options, _of_body(taken), f"MI-GAN for {sides[-1]}²: {whose}", "MIT", notes)


def _separable(own: Tensors, theirs: str, taken: Tensors, ours: str) -> None:
    _conv(own, f"{theirs}.conv1", taken, f"{ours}.deep")
    taken[f"{ours}.wide.weight"] = own[f"{theirs}.conv2.weight"]


def _edge_connect(own: Tensors) -> Published:
    """One of the two nets: that of edges has spectral norms and is shown three planes, the other four."""
    spectral = "encoder.1.weight_orig" in own
    first = own["encoder.1.weight_orig" if spectral else "encoder.1.weight"]
    if first.shape[1] != (3 if spectral else 4):
        raise ModelError(f"a first layer of {first.shape[1]} planes is neither of EdgeConnect's two nets")
    blocks = len({found[1] for name in own if (found := re.match(r"middle\.(\d+)\.", name))})
    ours = "edges" if spectral else "picture"
    taken: Tensors = {}
    places = {"encoder.1": "1", "encoder.4": "4", "encoder.7": "7"}
    for block in range(blocks):
        places |= {f"middle.{block}.conv_block.{n}": f"{10 + block}.layers.{n}" for n in (1, 5)}
    places |= {"decoder.0": f"{10 + blocks}", "decoder.3": f"{13 + blocks}"}
    for theirs, place in places.items():
        (_spectral if spectral else _conv)(own, theirs, taken, f"{ours}.{place}")
    _conv(own, "decoder.7", taken, f"{ours}.{17 + blocks}")
    if not spectral:  # ours is shown the hole as well
        kernel = taken["picture.1.weight"]
        taken["picture.1.weight"] = torch.cat([kernel, torch.zeros_like(kernel[:, :1])], dim=1)
    options = {"stage": ours, "width": first.shape[0], "blocks": blocks, "as_released": True}
    whose = "Nazeri, Ng, Joseph, Qureshi, Ebrahimi, EdgeConnect, ICCV Workshops 2019"
    return Published(
        "edge_connect",
        options,
        _of_body(taken),
        f"EdgeConnect, the net of {'edges' if spectral else 'pictures'}: {whose}",
        "CC BY-NC 4.0",
    )


def _spectral(own: Tensors, theirs: str, taken: Tensors, ours: str) -> None:
    kernel, left = own[f"{theirs}.weight_orig"], own[f"{theirs}.weight_u"]
    transposed = theirs.startswith("decoder")
    flat = (kernel.transpose(0, 1) if transposed else kernel).flatten(1)
    right = own.get(f"{theirs}.weight_v")
    if right is None:  # as PyTorch 0.4 wrote it
        right = torch.nn.functional.normalize(flat.t() @ left, dim=0)
    inside = f"{ours}.parametrizations.weight"
    taken |= {f"{inside}.original": kernel, f"{inside}.0._u": left, f"{inside}.0._v": right}
    # A bias before an instance norm changes nothing; the authors' blocks have none.
    taken[f"{ours}.bias"] = own.get(f"{theirs}.bias", torch.zeros(flat.shape[0]))


def _stem(weight: Tensor, *, scale: float, known: float, hole: float) -> tuple[Tensor, Tensor]:
    """A first layer's kernel for planes as ours are shown: RGB in [-1, 1] with 0 in holes, then the hole.

    Theirs is shown ``scale · ours + known + hole · mask`` instead; the hole is the last plane of both. What
    is constant becomes a bias, which holds as far as the frame is not padded with zeros.
    """
    colours = weight[:, :3]
    mask = weight[:, 3:4] + hole * colours.sum(dim=1, keepdim=True)
    return torch.cat([scale * colours, mask], dim=1), known * colours.sum(dim=(1, 2, 3))


def _conv(own: Tensors, theirs: str, taken: Tensors, ours: str) -> None:
    for part in ("weight", "bias"):
        taken[f"{ours}.{part}"] = own[f"{theirs}.{part}"]


def _norm(own: Tensors, theirs: str, taken: Tensors, ours: str, order: Tensor | None = None) -> None:
    for part in ("weight", "bias", "running_mean", "running_var"):
        value = own[f"{theirs}.{part}"]
        taken[f"{ours}.{part}"] = value.clone() if order is None else value[order]
    seen = own.get(f"{theirs}.num_batches_tracked", torch.tensor(0.0))
    taken[f"{ours}.num_batches_tracked"] = seen.long()


def _of_body(taken: Tensors) -> Tensors:
    return {f"body.{name}": tensor.contiguous() for name, tensor in taken.items()}


_KNOWN: dict[str, Callable[[Tensors], Published]] = {
    r"model\.1\.ffc\.convl2l\.weight": _lama,
    r"dilation_neck\.model\.0\.blocks\.0\.1\.conv\.weight": _aot_of_mmagic,
    r"middle\.0\.block00\.1\.weight": _aot,
    r"synthesis\.b4\.conv1\.conv1\.weight": _migan,
    r"middle\.0\.conv_block\.1\.weight(?:_orig)?": _edge_connect,
}
