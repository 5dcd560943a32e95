"""Fit what tells where black and white of a faded picture were: src/remend/restoration/fading.npz.

python -m benchmarks.fit_tones PICTURES.tar…

Photographs, whole and in parts, are faded in many ways; three small nets learn from what fading leaves as it
is where black and white of each channel had been. The loss is how far these, and then colours, are off after,
over that before. Half of the originals get tones of scanned film first, blacks raised and warm, whites of
cream: photographs from cameras alone would have everything neutral. The package's file was fitted to 4,965
pictures of the groups permissive (the first half) and research.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from remend.restoration.fading import MODEL, ends_of, signs_of, small_of
from remend.train.data.pictures import read_pictures

MEMBERS, HIDDEN, BATCH, VIEWS, PIXELS, LOOKED_AT = 3, (32, 16), 160, 3, 200, 24
STEPS = 3000, 1500  # by black and white; by colours
FILM = 0.5
RATE, DECAY, DROPPED = 2e-3, 0.05, (0.1, 0.15)
XYZ = torch.tensor([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])
DAYLIGHT = torch.tensor([0.9505, 1.0, 1.0888])


def views_of(image: NDArray[np.uint8], rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """A picture, and parts of it, every second one mirrored."""
    found = [image]
    height, width = image.shape[:2]
    for number in range(1, VIEWS):
        share, shape = rng.uniform(0.5, 1), np.exp(rng.uniform(-0.25, 0.25))
        h, w = int(min(height, height * share * shape)), int(min(width, width * share / shape))
        top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
        part = image[top : top + h, left : left + w]
        found.append(np.ascontiguousarray(part[:, ::-1] if number % 2 else part))
    return found


def lab(pixels: Tensor) -> Tensor:
    """CIELAB of (…, 3) sRGB in [0, 1]."""
    x = pixels.clamp(1e-4, 1)
    linear = torch.where(x > 0.04045, ((x + 0.055) / 1.055).clamp_min(1e-4) ** 2.4, x / 12.92)
    xyz = linear @ XYZ.T / DAYLIGHT
    f = torch.where(xyz > 0.008856, xyz.clamp_min(1e-5) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = f.unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def apart(one: Tensor, other: Tensor) -> Tensor:
    """Difference in colour as CIE94 counts it, which has gradients everywhere."""
    change = one - other
    chroma, others = ((c[..., 1:].square().sum(-1) + 1e-4).sqrt() for c in (one, other))
    in_chroma = (chroma - others).square()
    in_hue = (change[..., 1:].square().sum(-1) - in_chroma).clamp_min(0)
    weighed = in_chroma / (1 + 0.045 * chroma) ** 2 + in_hue / (1 + 0.015 * chroma) ** 2
    return (change[..., 0].square() + weighed + 1e-3).sqrt()


def uniform(low: float, high: float, shape: tuple[int, int]) -> Tensor:
    """Numbers between two bounds."""
    return low + (high - low) * torch.rand(shape)


def film_tones(ends: Tensor, pixels: Tensor, grey: Tensor) -> tuple[Tensor, Tensor]:
    """Some of the pictures in colour with tones as scans of film have them."""
    n = len(ends)
    warm = torch.tensor([[1.0, 0.2, -1.0]])
    black = (18 + 8 * torch.randn(n, 1) + 3 * torch.randn(n, 3) + (6 + 4 * torch.randn(n, 1)) * warm) / 255
    white = 238 - 8 * torch.randn(n, 1).abs() + 6 * torch.randn(n, 3) + (12 + 11 * torch.randn(n, 1)) * warm
    black, white = black.clamp(0, 0.4), (white / 255).clamp(0.3, 1)
    scale = (white - black) / (ends[:, 1] - ends[:, 0]).clamp_min(0.05)
    chosen = ((torch.rand(n) < FILM) & ~grey)[:, None, None]

    def led(values: Tensor) -> Tensor:
        moved = ((values - ends[:, :1]) * scale[:, None] + black[:, None]).clamp(0, 1)
        return torch.where(chosen, moved, values)

    return led(ends), led(pixels)


def fade(grey: Tensor) -> tuple[Tensor, Tensor]:
    """(n, 3) where black and white come to lie: alike and apart; grey pictures fade without a cast."""
    n = len(grey)
    severity = torch.where(torch.rand(n, 1) < 0.5, torch.ones(n, 1), uniform(0.3, 1.3, (n, 1)))
    black = severity * (uniform(20, 60, (n, 1)) + uniform(-15, 25, (n, 3)))
    white = 255 - severity * (255 - uniform(170, 225, (n, 1)) - uniform(-35, 15, (n, 3)))
    black, white = black.clamp(0, 110) / 255, white.clamp(130, 255) / 255
    alike = grey[:, None]
    return torch.where(alike, black[:, :1], black), torch.where(alike, white[:, :1], white)


def fitted(data: dict[str, Tensor], seed: int) -> nn.Sequential:
    """One member: first by how far black and white are off, which is quick, then by colours."""
    torch.manual_seed(seed)
    first, second = HIDDEN
    net = nn.Sequential(
        *(nn.Dropout(DROPPED[0]), nn.Linear(data["signs"].shape[1] + 6, first), nn.ReLU()),
        *(nn.Dropout(DROPPED[1]), nn.Linear(first, second), nn.ReLU(), nn.Linear(second, 6)),
    )
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    for step in range(sum(STEPS)):
        rate = RATE * (0.5 + 0.5 * np.cos(np.pi * step / sum(STEPS))) * min(1, step / 100 + 0.01)
        for group in optimizer.param_groups:
            group["lr"] = rate
        some = torch.randint(len(data["signs"]), (BATCH,))
        grey = data["grey"][some]
        pixels = data["pixels"][some][:, torch.randint(0, PIXELS, (LOOKED_AT,))].float() / 255
        ends, pixels = film_tones(data["ends"][some], pixels, grey)
        black, white = fade(grey)
        span = (white - black)[:, None]
        low, high = (black[:, None] + ends * span).unbind(1)
        answer = net(torch.cat([data["signs"][some], 4 * low - 1, 4 * high - 3], 1)).sigmoid()
        dark, light = low * answer[:, :3], high + (1 - high) * answer[:, 3:]
        if step < STEPS[0]:
            after, before = _off(dark, light, ends), _off(low, high, ends).clamp_min(0.03)
            loss = (after / before).mean()
        else:
            worn = black[:, None] + pixels * span
            scale = (light - dark) / (high - low).clamp_min(0.05)
            led = dark[:, None] + (worn - low[:, None]) * scale[:, None]
            truth = lab(pixels)
            after, before = apart(truth, lab(led)).mean(1), apart(truth, lab(worn)).mean(1)
            loss = (after / before.clamp_min(3)).mean() + 0.02 * after.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 500 == 499:
            print(f"member {seed}, step {step + 1}: {loss.item():.3f}", file=sys.stderr)
    return net


def _off(dark: Tensor, light: Tensor, ends: Tensor) -> Tensor:
    """(n,) by how much black and white are off: in brightness, and between channels, which is seen more."""
    error = torch.stack([dark, light], 1) - ends
    whole = error.mean(2, keepdim=True)
    return whole.abs().mean((1, 2)) + 1.5 * (error - whole).abs().mean((1, 2))


def write(members: list[nn.Sequential], middle: Tensor, spread: Tensor) -> None:
    """The file that the package brings."""
    table = {"middle": middle.numpy().astype(np.float16), "spread": spread.numpy().astype(np.float16)}
    for layer, place in enumerate((1, 4, 6), 1):
        linear: list[Any] = [net[place] for net in members]
        table[f"weight{layer}"] = np.stack([one.weight.detach().numpy() for one in linear]).astype(np.float16)
        table[f"bias{layer}"] = np.stack([one.bias.detach().numpy() for one in linear]).astype(np.float32)
    np.savez_compressed(MODEL, **table)  # type: ignore[arg-type]


def main() -> None:
    """Fit, and write the file."""
    names = [name for name in sys.argv[1:] if name.endswith(".tar")]
    rng = np.random.default_rng(0)
    rows: dict[str, list[Any]] = {"signs": [], "ends": [], "pixels": [], "grey": []}
    pictures = read_pictures([Path(name) for name in names], least_px=96)
    for image in (pictures[number] for number in range(len(pictures))):  # beyond the last one comes the first
        if image.std() < 15:
            continue
        grey = bool(np.ptp(image.astype(int), axis=2).mean() < 3)
        for view in views_of(np.asarray(image, np.uint8), rng):
            small = small_of(view)
            flat = small.reshape(-1, 3)
            rows["signs"].append(signs_of(small))
            rows["ends"].append(np.stack(ends_of(small)).astype(np.float32) / 255)
            rows["pixels"].append(flat[rng.integers(0, len(flat), PIXELS)])
            rows["grey"].append(grey)
    data = {name: torch.from_numpy(np.array(values)) for name, values in rows.items()}
    middle, spread = data["signs"].mean(0), data["signs"].std(0).clamp_min(0.02)
    data["signs"] = (data["signs"] - middle) / spread
    members = [fitted(data, seed) for seed in range(MEMBERS)]
    write(members, middle, spread)
    print(f"{len(data['signs']):,} views, {MODEL.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
