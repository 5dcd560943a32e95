"""Albums, and what tuning the net for thin damage to each of them gains on pictures that it never saw.

python -m benchmarks.adapting                                        # three photographed, two made textures
python -m benchmarks.adapting --albums gravel --samples 8000
python -m benchmarks.adapting --albums "" --folder ALBUM             # pictures of yours, a quarter held out
python -m benchmarks.adapting --net restorer                         # what takes off noise and blocks
python -m benchmarks.adapting --shard SHARD.tar --starts 24          # from a Reptile-trained start, too

An album of a texture is three quarters of it, the fourth, 224², is held out. Figures are hole PSNR of thin
holes (and strokes, one in four) in patches of 128², and sharpness; tuned files are compared before they are
in 8 bits, with the embedded one in 8 bits.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from benchmarks.line import print_line
from benchmarks.made_textures import TEXTURES, texture
from remend.adapting import RESTORER, START
from remend.nets.onnx_file import to_onnx
from remend.nets.registry import build
from remend.nets.weights.portable import load_exported, save_portable
from remend.train.config import Recipe
from remend.train.data.damaged import Damage
from remend.train.data.masks import MaskBank
from remend.train.data.pictures import Pictures, read_pictures
from remend.train.data.samples import Sampler
from remend.train.data.sources import groups_of
from remend.train.personal.album import Album, read_album
from remend.train.personal.restorer import compared_restorers, intact, restorer_recipe, tune_restorer
from remend.train.personal.tune import compared, recipe_of, tune
from remend.train.restorer.export import export_restorer
from remend.train.run.local import learn, learner_of

ALBUMS = ("brick", "gravel", "grass", "cloth", "sand")
PATCHES = 48
TASK_CROPS = 80  # of an album that Reptile learns to learn


def quarters(name: str) -> list[np.ndarray]:
    """A texture cut up: its upper half, and both quarters below."""
    whole = texture(name)
    half = whole.shape[0] // 2
    return [whole[:half], whole[half:, :half], whole[half:, half:]]


def held_out(pictures: Sequence[np.ndarray]) -> Album:
    """Pictures to judge by alone."""
    names = tuple(f"held/{number}" for number in range(len(pictures)))
    kept = Pictures(names, tuple(np.ascontiguousarray(p) for p in pictures), groups_of(names))
    return Album(kept, kept, None)


def measured(
    name: str, learned: Sequence[np.ndarray], held: Sequence[np.ndarray], start: Path, samples: int
) -> None:
    """Tune to an album and say what that gains, on what it set aside and on what it never saw."""
    with tempfile.TemporaryDirectory() as folder:
        for number, picture in enumerate(learned):
            cv2.imwrite(str(Path(folder) / f"{number:03d}.png"), picture[..., ::-1])
        since = time.process_time()
        album = read_album(Path(folder), damage="")
        recipe = recipe_of(samples)
        tensors, state = tune(album, start, recipe)
        seconds = time.process_time() - since
    after, before = content_of(recipe, tensors), START.read_bytes()
    aside, unseen = (compared(before, after, a.patches(count=PATCHES)) for a in (album, held_out(held)))
    print_line(
        "adapting",
        album=name,
        start=start.stem,
        pictures=len(learned),
        crops=state["samples_seen"],
        seconds=round(seconds),
        kept=aside.kept,
        aside_db=round(aside.gain, 2),
        held_before_db=round(unseen.before, 2),
        held_db=round(unseen.gain, 2),
        sharp=[round(unseen.sharp_before, 2), round(unseen.sharp_after, 2)],
    )


def measured_restorer(
    name: str, learned: Sequence[np.ndarray], held: Sequence[np.ndarray], samples: int
) -> None:
    """The same of the restorer, in 8 bits: under noise, JPEG and JPEG twice, their mean and the worst."""
    with tempfile.TemporaryDirectory() as folder:
        for number, picture in enumerate(learned):
            cv2.imwrite(str(Path(folder) / f"{number:03d}.png"), picture[..., ::-1])
        since = time.process_time()
        album = read_album(Path(folder), damage="")
        whole, kept = intact(album), Path(folder) / "tuned.safetensors"
        tensors, state = tune_restorer(whole, RESTORER, restorer_recipe(samples))
        save_portable(kept, tensors, state)
        made = export_restorer(kept, Path(folder) / "tuned.onnx", pictures=whole)  # in 8 bits
        seconds = time.process_time() - since
        after, before = made.read_bytes(), RESTORER.read_bytes()
    (aside, _), (unseen, gains) = (compared_restorers(before, after, a) for a in (album, held_out(held)))
    print_line(
        "adapting-restorer",
        album=name,
        pictures=len(learned),
        crops=state["samples_seen"],
        seconds=round(seconds),
        kept=aside.kept,
        aside_db=round(aside.gain, 2),
        aside_worst=round(aside.worst, 2),
        held_before_db=round(unseen.before, 2),
        held_db=round(unseen.gain, 2),
        held={way: round(gain, 2) for way, gain in gains.items()},
    )


def content_of(recipe: Recipe, tensors: dict[str, Tensor]) -> bytes:
    """Weights as an ONNX file in fp32."""
    net = build(recipe.net, recipe.options)
    net.load_state_dict(tensors)
    return to_onnx(net.eval())


def of_folder(folder: Path, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Some pictures of an album: three of four to learn from, and the rest."""
    pictures = read_pictures([folder], least_px=160).few(count)
    every = [pictures[number] for number in range(len(pictures))]
    return [p for n, p in enumerate(every) if n % 4], every[::4]


def reptile(shard: Path, target: Path, tasks: int, *, together: bool) -> None:
    """A start learned over many little albums: weights move a part of the way to where each one leads.

    Args:
        shard: pictures; an album is one of them.
        target: file of weights.
        tasks: how many albums.
        together: learn the same crops one after the other instead, without going back: what the crops alone
            are worth, without learning to learn.

    Reference: Nichol, Achiam and Schulman, "On First-Order Meta-Learning Algorithms", 2018,
    doi:10.48550/arXiv.1803.02999.
    """
    recipe = recipe_of(tasks * TASK_CROPS, settings=["train.warmup=0", "train.hold=1.0", "train.lr=2e-4"])
    weights, _ = load_exported(START)
    pictures = read_pictures([shard], least_px=160).few(tasks)
    learner = learner_of(recipe)
    learner.net.load_state_dict(weights)
    bank = MaskBank(0, size=16)
    for task in range(tasks):
        before = {name: value.clone() for name, value in learner.net.state_dict().items()}
        learner.optimizer.state.clear()
        own = Sampler.of(pictures.only([task % len(pictures)]), recipe.data, task)
        sampler = Sampler(own.pictures, own.data, own.seed, bank, damage=Damage.of("", ()))
        learn(learner, sampler, first=task * TASK_CROPS, samples=TASK_CROPS)
        if not together:
            step = 0.5 * (1 - task / tasks)
            with torch.no_grad():
                for name, value in learner.net.state_dict().items():
                    value.copy_(before[name] + step * (value - before[name]))
    save_portable(target, learner.net.state_dict(), {"net": recipe.net, "samples_seen": tasks * TASK_CROPS})


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--albums", default=",".join(ALBUMS), help=f"of {', '.join(TEXTURES)}")
    parser.add_argument("--samples", type=int, default=1600)
    parser.add_argument("--folder", type=Path, help="an album of pictures")
    parser.add_argument("--shard", type=Path, help="pictures for --starts")
    parser.add_argument("--starts", type=int, default=0, metavar="TASKS", help="Reptile's little albums")
    parser.add_argument("--net", choices=("thin", "restorer"), default="thin")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.net == "restorer":
        albums = {name: quarters(name) for name in filter(None, asked.albums.split(","))}
        for name, (*learned, held) in albums.items():
            measured_restorer(name, learned, [held], asked.samples)
        if asked.folder:
            measured_restorer(asked.folder.name, *of_folder(asked.folder, 32), asked.samples)
        return
    with tempfile.TemporaryDirectory() as folder:
        starts = [START]
        for name in ("reptile", "together") if asked.starts else ():
            starts.append(Path(folder) / f"{name}.safetensors")
            reptile(asked.shard, starts[-1], asked.starts, together=name == "together")
        for start in starts:
            for name in filter(None, asked.albums.split(",")):
                *learned, held = quarters(name)
                measured(name, learned, [held], start, asked.samples)
            if asked.folder:
                measured(asked.folder.name, *of_folder(asked.folder, 32), start, asked.samples)


if __name__ == "__main__":
    main()
