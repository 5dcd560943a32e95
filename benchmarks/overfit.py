"""Can a net learn at all? Eight pictures, fixed brush strokes, plain L1 in the hole, Muon, until 28 dB.

python -m benchmarks.overfit                 # all nets, at native widths
python -m benchmarks.overfit unet --seconds 600 --side 256

A net passes when the mean hole PSNR of what it would serve (``eval``) reaches 28 dB. Needs scikit-image for
the pictures.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from benchmarks.line import print_line
from benchmarks.short_runs import PRECISION
from remend.damage.synth import make_mask
from remend.metrics import psnr
from remend.nets.registry import build, figures
from remend.train.loss.pixels import l1
from remend.train.optim.muon import Muon, with_kernels_apart

# The learning rate of Muon, and of AdamW for what Muon leaves to it.
NETS = dict.fromkeys(
    (
        "transfer_unet",
        "remend",
        "context_encoder",
        "unet",
        "partial_conv",
        "lama",
        "aot_gan",
        "migan",
        "deepfill_v1",
        "deepfill_v2",
        "edge_connect",
    ),
    2e-3,
) | {"comod_gan": 2e-2}  # its weights are stored at size 1, some fifty times those of the others
PICTURES = ("astronaut", "chelsea", "coffee", "rocket", "camera", "brick", "gravel", "hubble_deep_field")
BAR_DB = 28.0
LOOK_EVERY = 20


def pictures(size: int) -> np.ndarray:
    """(8, size, size, 3) uint8: the middle of scikit-image's pictures, made small."""
    from skimage import data

    cut = []
    for name in PICTURES:
        picture = getattr(data, name)()
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        height, width = picture.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = np.ascontiguousarray(picture[top : top + side, left : left + side, :3])
        cut.append(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA))
    return np.stack(cut)


def holes(size: int) -> np.ndarray:
    """(8, size, size) bool: brush strokes, 5 to 35 % of each picture."""
    return np.stack([make_mask("free-form", (size, size), seed=seed) for seed in range(len(PICTURES))])


def overfit(name: str, *, side: int, seconds: float, batch: int, lr: float, optimizer: str) -> dict[str, Any]:
    """Overfit the eight pictures, the rate falling; stops at the bar or when the time is over."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    wanted, missing = pictures(side), holes(side)
    image = torch.from_numpy(wanted).permute(0, 3, 1, 2).float() / 255
    hole = torch.from_numpy(missing)[:, None].float()
    net = build(name).to(memory_format=torch.channels_last).train()
    # One answer is to be overfitted, so chance is held where it is served: 0.
    chance = {"noise": torch.zeros(batch, net.noise_size)} if net.noise_size else {}
    parameters = list(net.parameters())
    mover: torch.optim.Optimizer
    if optimizer == "muon":
        mover = Muon(with_kernels_apart([{"params": parameters}]), lr=lr)
    else:
        mover = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.0)
    start = served(net, image, hole, wanted, missing)
    since, step, reached, spent = time.monotonic(), 0, start, 0.0
    order = np.arange(0)
    while reached < BAR_DB and spent < 1:
        # Muon's steps have a length of their own, whatever the gradient: only a falling rate lets it settle.
        for group in mover.param_groups:
            group["lr"] = lr * max(1 - spent, 0.05)
        if len(order) < batch:
            order = rng.permutation(len(wanted))
        chosen, order = order[:batch], order[batch:]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=PRECISION.get(name) != "fp32"):
            _, *stages = net(image[chosen], hole[chosen], **chance)
        loss = sum(l1(stage, image[chosen], hole[chosen]) for stage in stages)
        mover.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        mover.step()
        step += 1
        spent = (time.monotonic() - since) / seconds
        if step % LOOK_EVERY == 0:
            reached = served(net, image, hole, wanted, missing)
            print(f"{name}: step {step}, loss {float(loss.detach()):.4f}, {reached:.2f} dB", file=sys.stderr)
    return {
        "net": name,
        "side_px": side,
        "parameters": figures(net).parameters,
        "optimizer": optimizer,
        "lr": lr,
        "base_fill_db": round(start, 2),
        "hole_psnr_db": round(reached, 2),
        "bar_db": BAR_DB,
        "passed": reached >= BAR_DB,
        "steps": step,
        "batch": batch,
        "seconds": round(time.monotonic() - since),
        "hole_ratio": round(float(missing.mean()), 3),
        "threads": torch.get_num_threads(),
    }


def served(
    net: torch.nn.Module, image: Tensor, hole: Tensor, wanted: np.ndarray, missing: np.ndarray
) -> float:
    """Mean hole PSNR of what the net would serve now, in fp32."""
    net.eval()
    with torch.inference_mode():
        filled = net(image, hole)[0].clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    net.train()
    return float(np.mean([psnr(f, w, m) for f, w, m in zip(filled, wanted, missing, strict=True)]))


def main() -> None:
    """A JSON line a net."""
    parser = argparse.ArgumentParser()
    parser.add_argument("nets", nargs="*", default=list(NETS))
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--side", type=int, default=128, help="of the pictures; papers' nets: 256")
    parser.add_argument("--optimizer", choices=("muon", "adamw"), default="muon")
    parser.add_argument("--lr", type=float, help="instead of the net's own")
    options = parser.parse_args()
    for name in options.nets:
        line = overfit(
            name,
            side=options.side,
            seconds=options.seconds,
            batch=options.batch,
            lr=options.lr or NETS[name],
            optimizer=options.optimizer,
        )
        print_line("overfit", **line)


if __name__ == "__main__":
    main()
