"""Masking, base fill, prior and composition around a net's body: the graph that is trained and served."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from remend.nets.push_pull import push_pull

__all__ = ["PLANES", "Inpainter"]

PLANES = 8
"""What a body is given: known pixels (3), base fill (3), hole (1), flag (1: the base is a prior)."""


class Inpainter(nn.Module):
    """A body, made into picture and hole in, filled picture out.

    Args:
        body: ``body(planes (N, 8, H, W), hole (N, 1, H, W)) -> answer (N, 3, H, W)``. It states

            - ``size_multiple``: height and width must be multiples of it, and of the base fill's 16;
            - ``residual``, True if left out: the answer is added to the base fill, or is the picture;
            - ``takes_prior``, True if left out: it reads the base fill, so that a prior changes something.
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    @property
    def size_multiple(self) -> int:
        """Height and width must be multiples of this."""
        return int(self.body.size_multiple)

    @property
    def takes_prior(self) -> bool:
        """Whether a prior changes anything."""
        return bool(getattr(self.body, "takes_prior", True))

    def forward(self, image: Tensor, hole: Tensor, prior: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Fill the hole.

        Args:
            image: (N, 3, H, W) float32 RGB in [0, 1]; what lies under the hole is not read.
            hole: (N, 1, H, W) float32, above 0.5 = fill.
            prior: (N, 3, H, W) float32, a coarse fill to start from instead of push-pull; a picture
                whose prior is negative has none.

        Returns:
            ``(filled, raw)``, both (N, 3, H, W) float32: composed, equal to ``image`` bit for bit where
            known; and the prediction over the whole frame, which losses use around the hole.
        """
        missing = hole > 0.5
        fill = missing.to(image.dtype)
        image = torch.where(missing, torch.zeros_like(image), image)
        base = push_pull(image, fill)
        flag = torch.zeros_like(fill)
        if prior is not None:
            given = prior.amin(dim=(1, 2, 3), keepdim=True) >= 0
            flag = flag + given.to(image.dtype)
            base = torch.where(missing & given, prior, base)
        # Centred, so that the padding's 0 is a mid grey.
        planes = torch.cat([(image - 0.5) * (1 - fill), base - 0.5, fill, flag], dim=1)
        answer = self.body(planes, fill).to(image.dtype)
        raw = base + answer if getattr(self.body, "residual", True) else answer
        return torch.where(missing, raw, image), raw
