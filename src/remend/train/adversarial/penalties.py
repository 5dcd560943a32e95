"""What is asked of gradients: that a critic is smooth, and that a net moves evenly with its latent vector.

All are computed in float32 whatever autocast says, since half precision loses the second derivative, and on
modules that Fabric has not wrapped, since its wrapper would turn autocast on again.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.critic import CriticOutput
from remend.nets.inpainter import Inpainter
from remend.nets.precision import in_fp32

__all__ = ["gradient_penalty", "path_penalty", "r1_penalty"]

_PATH_MEMORY = 0.99


def r1_penalty(critic: nn.Module, image: Tensor, hole: Tensor) -> Tensor:
    """Half the squared norm of the critic's gradient at real pictures; weigh it with gamma.

    Applied lazily, each ``n`` steps with ``n`` times the weight, it costs little. Per score it is the same at
    any size: for patch critics the norm of the gradient of the *sum* of scores is divided by their number.

    Args:
        critic: not wrapped by Fabric.
        image: (N, 3, H, W), real.
        hole: (N, 1, H, W).

    Returns:
        A scalar with a graph to the critic's weights.

    Cost: about three times a forward and backward of the critic.

    Reference: Mescheder et al., "Which Training Methods for GANs do actually Converge?", ICML 2018,
    doi:10.48550/arXiv.1801.04406; lazily: Karras et al., "Analyzing and Improving the Image Quality of
    StyleGAN", CVPR 2020, doi:10.1109/CVPR42600.2020.00813.
    """
    with in_fp32(image):
        image = image.detach().float().requires_grad_()
        judgement: CriticOutput = critic(image, hole.float())
        total = torch.zeros((), device=image.device)
        for scores in judgement.scores:
            (gradient,) = torch.autograd.grad(scores.sum(), image, create_graph=True)
            total = total + gradient.square().sum(dim=(1, 2, 3)).mean() / scores[0].numel()
        return total / (2 * len(judgement.scores))


def gradient_penalty(critic: nn.Module, real: Tensor, filled: Tensor, hole: Tensor) -> Tensor:
    """How far the critic's gradient is from length 1 between real and filled pictures; weigh it with lambda.

    Between them is a point on the line from each real picture to its filled twin, drawn from torch's
    generator. Only the gradient in the hole counts: that is where the twins differ.

    Args:
        critic: not wrapped by Fabric.
        real, filled: (N, 3, H, W).
        hole: (N, 1, H, W), 1 = filled.

    Returns:
        The mean of (length - 1)² over pictures and the critic's scales, with a graph to its weights. Of a map
        of scores the mean counts.

    Cost: about three times a forward and backward of the critic.

    Reference: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017,
    doi:10.48550/arXiv.1704.00028; in the hole alone: Yu et al., "Generative Image Inpainting with Contextual
    Attention", CVPR 2018, doi:10.1109/CVPR.2018.00577.
    """
    with in_fp32(real):
        real, filled, hole = real.detach().float(), filled.detach().float(), hole.float()
        way = torch.rand(len(real), 1, 1, 1, device=real.device)
        between = torch.lerp(real, filled, way).requires_grad_()
        judgement: CriticOutput = critic(between, hole)
        total = torch.zeros((), device=real.device)
        for scores in judgement.scores:
            (gradient,) = torch.autograd.grad(scores.mean(dim=(1, 2, 3)).sum(), between, create_graph=True)
            # The root's own gradient is infinite at 0.
            length = ((gradient * hole).square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
            total = total + (length - 1).square().mean()
        return total / len(judgement.scores)


def path_penalty(net: Inpainter, image: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """How unevenly the fill moves with the latent vector, over half of the batch; weigh it with 2.

    A step of the latent vector should change the fill by the same amount wherever it is and whichever way it
    goes: by ``path_mean`` of the net's body, a running mean that moves on here and is saved with the weights.

    Args:
        net: not wrapped by Fabric; its body has ``mapping``, which makes latent vectors of noise.
        image: (N, 3, H, W).
        hole: (N, 1, H, W), 1 = fill.

    Returns:
        The mean of (length - ``path_mean``)², with a graph to the net's weights; and the mean length.

    Raises:
        UsageError: the net has no latent vectors.

    Cost: about twice a step of the net on half of the batch.

    Reference: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020,
    doi:10.1109/CVPR42600.2020.00813, section 3.2. Here pictures are noisy in the hole alone.
    """
    mapping, mean = getattr(net.body, "mapping", None), getattr(net.body, "path_mean", None)
    if not isinstance(mapping, nn.Module) or not isinstance(mean, Tensor):
        raise UsageError("critic.path_length is for nets whose fills follow from noise, like comod_gan")
    latent: list[Tensor] = []
    handle = mapping.register_forward_hook(lambda *call: latent.append(call[2]))
    half = max(1, len(image) // 2)
    image, hole = image[:half].float(), hole[:half].float()
    try:
        with in_fp32(image):
            filled, *_ = net(image, hole)
            size = hole.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1)
            shaken = (filled * torch.randn_like(filled) * hole / size.sqrt()).sum()
            (gradient,) = torch.autograd.grad(shaken, latent, create_graph=True)
    finally:
        handle.remove()
    lengths = (gradient.square().sum(dim=1) + 1e-12).sqrt()
    with torch.no_grad():
        mean.lerp_(lengths.mean(), 1 - _PATH_MEMORY)
    return (lengths - mean.clone()).square().mean(), lengths.detach().mean()
