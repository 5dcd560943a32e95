"""Masking, base fill, prior and composition around a net's body: the graph that is trained and served."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from remend.nets.push_pull import push_pull

__all__ = ["PLANES", "Inpainter"]

PLANES = 8
"""What a body is given: known pixels (3), base fill (3), hole (1), flag (1: the base is a prior)."""


class Inpainter(nn.Module):
    """A body, made into picture and hole in, filled picture out.

    Args:
        body: ``body(planes (N, 8, H, W), hole (N, 1, H, W)) -> answer (N, 3, H, W)``, or a tuple ``(answer,
            *earlier)`` of what its earlier stages would answer, which losses may hold to the target too.
            It states

            - ``size_multiple``: height and width must be multiples of it, and of the base fill's 16;
            - ``residual``, True if left out: the answer is added to the base fill, or is the picture;
            - ``takes_prior``, True if left out: it reads the base fill, so that a prior changes something;
            - ``takes_guide``, False if left out: it is given ``guide=`` (N, 1, H, W), lines to follow;
            - ``noise_size``, 0 if left out: it is given ``noise=`` (N, ``noise_size``), which chooses one
              of several answers;
            - ``draws``, None if left out: what it is to draw of a picture (N, 3, H, W), if not the picture;
            - ``taps``, none if left out: which of its modules answer features that further tasks may read.
        from_base: a body that draws the picture from nothing is shown the base fill where it would see a
            hole, and what it draws, less mid grey, is added to that. A short run then ends near the base
            fill, which one from nothing does not (docs/architectures.md). Bodies that answer a residual
            begin there anyway.
        sees_hole: what lies under the hole is a damaged picture to be made clean, not nothing: the body is
            shown the whole picture, as its base fill too, and no hole. What it answers is still taken in the
            hole alone.

    Raises:
        ValueError: ``from_base`` for a body that draws something else than the picture.
    """

    def __init__(self, body: nn.Module, *, from_base: bool = False, sees_hole: bool = False) -> None:
        super().__init__()
        self.body = body
        self.sees_hole = sees_hole
        self.from_base = from_base and not getattr(body, "residual", True)
        if self.from_base and self.draws is not None:
            raise ValueError("it draws something else than the picture, a base fill is no start for that")

    @property
    def size_multiple(self) -> int:
        """Height and width must be multiples of this."""
        return int(self.body.size_multiple)

    @property
    def takes_prior(self) -> bool:
        """Whether a prior changes anything."""
        return not self.sees_hole and (self.from_base or bool(getattr(self.body, "takes_prior", True)))

    @property
    def takes_guide(self) -> bool:
        """Whether lines to follow change anything."""
        return bool(getattr(self.body, "takes_guide", False))

    @property
    def noise_size(self) -> int:
        """How many numbers choose among its answers; 0 = there is one."""
        return int(getattr(self.body, "noise_size", 0))

    @property
    def draws(self) -> Callable[[Tensor], Tensor] | None:
        """What is to be drawn of a picture; None = the picture itself."""
        draws: Callable[[Tensor], Tensor] | None = getattr(self.body, "draws", None)
        return draws

    @property
    def taps(self) -> Mapping[str, tuple[int, ...]]:
        """Modules of the body whose answers serve further tasks, each with the scales of its maps (4 = 1/4).

        A module answers one map (N, C, h, w), or a list of them.
        """
        taps: Mapping[str, tuple[int, ...]] = getattr(self.body, "taps", {})
        return taps

    def forward(
        self,
        image: Tensor,
        hole: Tensor,
        prior: Tensor | None = None,
        guide: Tensor | None = None,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Fill the hole.

        Args:
            image: (N, 3, H, W) float32 RGB in [0, 1]; what lies under the hole is not read, unless the net
                ``sees_hole``.
            hole: (N, 1, H, W) float32, above 0.5 = fill.
            prior: (N, 3, H, W) float32, a coarse fill to start from instead of push-pull; a picture
                whose prior is negative has none.
            guide: (N, 1, H, W) float32 in [0, 1], lines to follow, 1 = line; None = no lines. Not read by
                nets that take none.
            noise: (N, ``noise_size``) float32, standard normal. None = drawn from torch's generator while
                training, and 0, the middle of all answers, in evaluation. Not read by nets that take none.

        Returns:
            ``(filled, raw, *earlier)``, all (N, 3, H, W) float32: composed, equal to ``image`` bit for bit
            where known; the prediction over the whole frame, which losses use around the hole; and what the
            earlier stages of the net predict, if it has any. Evaluation and export look at ``filled`` alone.
        """
        missing = hole > 0.5
        if self.sees_hole:
            base, fill = image, torch.zeros_like(hole)
            flag = fill
        else:
            fill = missing.to(image.dtype)
            image = torch.where(missing, torch.zeros_like(image), image)
            base = push_pull(image, fill)
            flag = torch.zeros_like(fill)
            if prior is not None:
                given = prior.amin(dim=(1, 2, 3), keepdim=True) >= 0
                flag = flag + given.to(image.dtype)
                base = torch.where(missing & given, prior, base)
        # Centred, so that the padding's 0 is a mid grey.
        seen = base - 0.5 if self.from_base else (image - 0.5) * (1 - fill)
        planes = torch.cat([seen, base - 0.5, fill, flag], dim=1)
        answers = self.body(planes, fill, **self._further(image, guide, noise))
        stages = answers if isinstance(answers, tuple) else (answers,)
        raw, *earlier = (self._picture(a.to(image.dtype), base) for a in stages)
        return torch.where(missing, raw, image if self.draws is None else self.draws(base)), raw, *earlier

    def folded(self) -> Inpainter:
        """A copy for serving: the same answers from fewer operations.

        Normalised weights (spectral norm) become plain ones, and every module with a method ``fold`` folds
        what it needs for learning alone. In evaluation mode; it cannot go on learning what was folded.
        """
        served = copy.deepcopy(self).eval()
        for module in list(served.modules()):
            if parametrize.is_parametrized(module):
                _make_plain(module)
        for module in list(served.modules()):
            if callable(fold := getattr(module, "fold", None)):
                fold()
        return served

    def _picture(self, answer: Tensor, base: Tensor) -> Tensor:
        """The picture that an answer of the body means."""
        if self.from_base:
            return base + (answer - 0.5)
        return base + answer if getattr(self.body, "residual", True) else answer

    def _further(self, image: Tensor, guide: Tensor | None, noise: Tensor | None) -> dict[str, Tensor]:
        """What the body takes besides planes and hole."""
        given: dict[str, Tensor] = {}
        if self.takes_guide:
            given["guide"] = torch.zeros_like(image[:, :1]) if guide is None else guide
        if size := self.noise_size:
            if noise is None:
                draw = torch.randn if self.training else torch.zeros
                noise = draw(image.shape[0], size, dtype=image.dtype, device=image.device)
            given["noise"] = noise
        return given


def _make_plain(module: nn.Module) -> None:
    """Keep the values of parametrised weights, drop what makes them.

    ``parametrize.remove_parametrizations`` on a copy spoils the original: both share a class.
    """
    names = list(cast(nn.ModuleDict, module.parametrizations))
    values = [getattr(module, name).detach() for name in names]
    module.__class__ = parametrize.type_before_parametrizations(module)
    del module.parametrizations
    for name, value in zip(names, values, strict=True):
        module.register_parameter(name, nn.Parameter(value))
