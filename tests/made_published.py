"""Small nets with the layers and names of published ones, for tests of weights that people have."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["AotLike", "EdgesLike", "LamaLike", "MiganLike", "PainterLike", "settle"]


def settle(net: nn.Module, seed: int = 0) -> nn.Module:
    """Random weights, biases and running statistics, so that nothing is 0 or 1 by chance; for evaluation."""
    drawn = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.copy_(0.2 * torch.randn(module.num_features, generator=drawn))
            module.running_var.copy_(0.5 + torch.rand(module.num_features, generator=drawn))
            module.weight.data.copy_(0.5 + torch.rand(module.num_features, generator=drawn))
            module.bias.data.copy_(0.2 * torch.randn(module.num_features, generator=drawn))
    return net.eval()


class _Fourier(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * channels, 2 * channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        waves = torch.view_as_real(torch.fft.rfft2(x, norm="ortho"))
        planes = waves.movedim(-1, 2).flatten(1, 2)
        mixed = self.bn(self.conv_layer(planes)).relu().unflatten(1, (-1, 2)).movedim(2, -1)
        return torch.fft.irfft2(torch.view_as_complex(mixed.contiguous()), s=x.shape[-2:], norm="ortho")


class _Spectral(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Sequential(nn.Conv2d(channels, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())
        self.fu = _Fourier(half)
        self.conv2 = nn.Conv2d(half, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        return self.conv2(x + self.fu(x))


def _mirrored(inside: int, outside: int, kernel: int, stride: int, padding: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, kernel, stride, padding, bias=False, padding_mode="reflect")


class _Ffc(nn.Module):
    """A convolution, batch norm and ReLU of local and global channels; ``(local, None)`` where none is."""

    def __init__(self, come, go, kernel=3, stride=1, padding=1) -> None:
        super().__init__()
        near, wide = come
        self.ffc = nn.Module()
        for a, b, name in (
            (near, go[0], "l2l"), (near, go[1], "l2g"), (wide, go[0], "g2l"), (wide, go[1], "g2g"),
        ):  # fmt: skip
            if a and b:
                made = _Spectral(a) if name == "g2g" else _mirrored(a, b, kernel, stride, padding)
                setattr(self.ffc, f"conv{name}", made)
        self.bn_l = nn.BatchNorm2d(go[0])
        if go[1]:
            self.bn_g = nn.BatchNorm2d(go[1])

    def forward(self, two):
        near, wide = two
        local = self.ffc.convl2l(near) + (self.ffc.convg2l(wide) if hasattr(self.ffc, "convg2l") else 0)
        far = None
        if hasattr(self, "bn_g"):
            far = self.ffc.convl2g(near) + (self.ffc.convg2g(wide) if hasattr(self.ffc, "convg2g") else 0)
            far = self.bn_g(far).relu()
        return self.bn_l(local).relu(), far


class _Residual(nn.Module):
    def __init__(self, split) -> None:
        super().__init__()
        self.conv1, self.conv2 = _Ffc(split, split), _Ffc(split, split)

    def forward(self, two):
        near, wide = self.conv2(self.conv1(two))
        return two[0] + near, two[1] + wide


class LamaLike(nn.Module):
    """Picture in [0, 1] with black holes and the hole, (N, 4, H, W), to picture in [0, 1]."""

    def __init__(self, width: int = 8, blocks: int = 2) -> None:
        super().__init__()
        deep = 8 * width
        split = (deep - int(0.75 * deep), int(0.75 * deep))
        layers = [nn.ReflectionPad2d(3), _Ffc((4, 0), (width, 0), 7, 1, 0)]
        layers += [_Ffc((width, 0), (2 * width, 0), 3, 2), _Ffc((2 * width, 0), (4 * width, 0), 3, 2)]
        layers += [_Ffc((4 * width, 0), split, 3, 2)]
        layers += [_Residual(split) for _ in range(blocks)] + [nn.Identity()]
        for step in (4, 2, 1):
            up = nn.ConvTranspose2d(2 * step * width, step * width, 3, 2, 1, output_padding=1)
            layers += [up, nn.BatchNorm2d(step * width), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Sigmoid())
        self.joined = 5 + blocks

    def forward(self, x: Tensor) -> Tensor:
        two = (self.model[0](x), None)
        for layer in self.model[1 : self.joined]:
            two = layer(two)
        return self.model[self.joined :](torch.cat(two, dim=1))


class _AotBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        for n, rate in enumerate((1, 2, 4, 8)):
            conv = nn.Conv2d(width, width // 4, 3, dilation=rate)
            setattr(self, f"block0{n}", nn.Sequential(nn.ReflectionPad2d(rate), conv, nn.ReLU()))
        self.fuse = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3))
        self.gate = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        seen = self.fuse(torch.cat([getattr(self, f"block0{n}")(x) for n in range(4)], dim=1))
        gate = self.gate(x)
        spread = gate.std((2, 3), keepdim=True) + 1e-9
        share = torch.sigmoid(10 * (gate - gate.mean((2, 3), keepdim=True)) / spread - 5)
        return x * (1 - share) + seen * share


class _Up(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True))


class AotLike(nn.Module):
    """Picture in [-1, 1] with white holes and the hole, (N, 4, H, W), to picture in [-1, 1]."""

    def __init__(self, width: int = 8, blocks: int = 2) -> None:
        super().__init__()
        w, relu = width, nn.ReLU()
        self.encoder = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(4, w, 7), relu, nn.Conv2d(w, 2 * w, 4, 2, 1), relu,
            nn.Conv2d(2 * w, 4 * w, 4, 2, 1), relu,
        )  # fmt: skip
        self.middle = nn.Sequential(*(_AotBlock(4 * w) for _ in range(blocks)))
        self.decoder = nn.Sequential(
            _Up(4 * w, 2 * w), relu, _Up(2 * w, w), relu, nn.Conv2d(w, 3, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.middle(self.encoder(x))).tanh()


def _active(x: Tensor) -> Tensor:
    return (F.leaky_relu(x, 0.2) * 2**0.5).clamp(-256, 256)


def _kernel(channels: int) -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return (taps[:, None] * taps).repeat(channels, 1, 1, 1)


def _grown(x: Tensor) -> Tensor:
    """Zeros in between, then StyleGAN's filter."""
    spread = F.conv_transpose2d(x, torch.tensor([[1.0, 0], [0, 0]]).repeat(x.shape[1], 1, 1, 1), stride=2,
                                groups=x.shape[1])  # fmt: skip
    return F.conv2d(F.pad(spread, (2, 1, 2, 1)), 4 * _kernel(x.shape[1]), groups=x.shape[1])


class _Separable(nn.Module):
    def __init__(self, inside: int, outside: int, resize: float = 1, noise: int = 0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, inside, 3, padding=1, groups=inside)
        self.conv2 = nn.Conv2d(inside, outside, 1, bias=False)
        self.resize = resize
        if noise:
            self.register_buffer("noise_const", torch.randn(noise, noise))
            self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        x = _active(self.conv1(x))
        if self.resize < 1:
            x = F.conv2d(x, _kernel(x.shape[1]), padding=1, stride=2, groups=x.shape[1])
        x = self.conv2(x)
        return _active(_grown(x) if self.resize > 1 else x)


class MiganLike(nn.Module):
    """Known minus a half and the picture in [-1, 1], (N, 4, H, W), to picture in about [-1, 1]."""

    def __init__(self, widths: tuple[int, ...] = (4, 6, 8)) -> None:
        super().__init__()
        sides = [4 * 2**n for n in range(len(widths))]
        self.encoder, self.synthesis, self.sides = nn.Module(), nn.Module(), sides
        for side, inside, outside in zip(sides[::-1], widths, (*widths[1:], widths[-1]), strict=True):
            block = nn.Module()
            if side == sides[-1]:
                block.fromrgb = nn.Conv2d(4, inside, 1)
            block.conv1 = _Separable(inside, inside)
            block.conv2 = _Separable(inside, outside, 1 if side == 4 else 0.5)
            self.encoder.add_module(f"b{side}", block)
        upwards = widths[::-1]
        for side, (inside, outside) in zip(sides, pairwise((upwards[0], *upwards)), strict=True):
            block = nn.Module()
            block.conv1 = _Separable(inside, outside, 1 if side == 4 else 2, 0 if side == 4 else side)
            block.conv2 = _Separable(outside, outside, 1, 0 if side == 4 else side)
            block.torgb = nn.Conv2d(outside, 3, 1)
            self.synthesis.add_module(f"b{side}", block)

    def forward(self, x: Tensor) -> Tensor:
        x, seen = _active(getattr(self.encoder, f"b{self.sides[-1]}").fromrgb(x)), []
        for side in self.sides[::-1]:
            block = getattr(self.encoder, f"b{side}")
            seen.append(block.conv1(x))
            x = block.conv2(seen[-1])
        picture = None
        for side in self.sides:
            block = getattr(self.synthesis, f"b{side}")
            x = block.conv2(block.conv1(x) + seen.pop())
            share = block.torgb(x)
            picture = share if picture is None else _grown(picture) + share
        return picture


class _EdgeBlock(nn.Module):
    def __init__(self, width: int, norm) -> None:
        super().__init__()
        plain = norm is not _plain
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(2), norm(nn.Conv2d(width, width, 3, dilation=2, bias=not plain)),
            nn.InstanceNorm2d(width), nn.ReLU(), nn.ReflectionPad2d(1),
            norm(nn.Conv2d(width, width, 3, bias=not plain)), nn.InstanceNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


def _plain(conv: nn.Module) -> nn.Module:
    return conv


class PainterLike(nn.Module):
    """EdgeConnect's net of pictures: picture in [0, 1] with white holes and lines, (N, 4, H, W)."""

    def __init__(
        self, inside: int = 4, outside: int = 3, width: int = 6, blocks: int = 2, norm=_plain
    ) -> None:
        super().__init__()
        w = width

        def normed(channels: int) -> list[nn.Module]:
            return [nn.InstanceNorm2d(channels), nn.ReLU()]

        self.encoder = nn.Sequential(
            nn.ReflectionPad2d(3), norm(nn.Conv2d(inside, w, 7)), *normed(w),
            norm(nn.Conv2d(w, 2 * w, 4, 2, 1)), *normed(2 * w),
            norm(nn.Conv2d(2 * w, 4 * w, 4, 2, 1)), *normed(4 * w),
        )  # fmt: skip
        self.middle = nn.Sequential(*(_EdgeBlock(4 * w, norm) for _ in range(blocks)))
        self.decoder = nn.Sequential(
            norm(nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1)), *normed(2 * w),
            norm(nn.ConvTranspose2d(2 * w, w, 4, 2, 1)), *normed(w),
            nn.ReflectionPad2d(3), nn.Conv2d(w, outside, 7),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return (self.decoder(self.middle(self.encoder(x))).tanh() + 1) / 2


class EdgesLike(PainterLike):
    """EdgeConnect's net of edges: grey with white holes, lines and hole, (N, 3, H, W), to lines."""

    def __init__(self, width: int = 6, blocks: int = 2) -> None:
        super().__init__(3, 1, width, blocks, torch.nn.utils.spectral_norm)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.decoder(self.middle(self.encoder(x))))
