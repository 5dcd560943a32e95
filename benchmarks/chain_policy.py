"""Would a policy that learned order and strengths restore better than the one that is shipped?

python -m benchmarks.chain_policy PICTURES.tar…

A contextual bandit that sees every arm: photographs are worn in made mixtures, each of some chains of steps
is run on each of them, and ridge regression learns from what `inspect` measures how many decibels each chain
gains. On pictures set aside the chain that it would choose is compared with what is shipped (tone goes first
by two bounds), with the best chain for all, and with the best one for each picture, which no policy can beat.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.line import print_line
from benchmarks.restoring import Rgb, coded, decibels
from remend.adapt import as_picture
from remend.damage.synth.layers import compose
from remend.damage.synth.wear import dust, scratches
from remend.options.restoration import RestoreOptions
from remend.restoration.inspection import Inspection, inspect_picture
from remend.restoring import restore_picture
from remend.train.data.pictures import read_pictures

SIDE, PICTURES, ASIDE = 224, 54, 18
OFTEN = 0.7  # each kind of wear by itself
DOUBT = 3.0  # of the ridge

NOISE = ("noise", "blocks")
CHAINS: dict[str, tuple[RestoreOptions, ...]] = {
    "shipped": (RestoreOptions(),),
    "tone_last": (RestoreOptions(skip=("tone",)), RestoreOptions(only=("tone",))),
    "damage_first": (RestoreOptions(only=("damage",)), RestoreOptions(skip=("damage",))),
    "tone_first": (RestoreOptions(only=("tone",)), RestoreOptions(skip=("tone",))),
    "weaker_noise": (RestoreOptions(noise=0.8, blocks=0.8),),
    "weaker_tone": (RestoreOptions(tone=0.8),),
    "no_damage": (RestoreOptions(skip=("damage",)),),
    "noise_again": (RestoreOptions(), RestoreOptions(only=NOISE)),
}


def worn(image: Rgb, rng: np.random.Generator) -> bytes:
    """A print that faded, was scratched, scanned with noise and kept as a JPEG, or some of that."""
    faded, scratched, noisy, coarse = rng.random(4) < OFTEN
    shown = image
    if faded:
        black = rng.uniform(20, 60) + rng.uniform(-8, 12, 3)
        white = rng.uniform(170, 225) + rng.uniform(-18, 8, 3)
        shown = np.clip(np.rint(black + image * ((white - black) / 255)), 0, 255).astype(np.uint8)
    if scratched:
        size = image.shape[:2]
        shown = compose(shown, scratches(size, seed=rng) + dust(size, seed=rng), rng)
    real = shown + rng.normal(0, rng.uniform(4, 20) if noisy else 0.5, image.shape)
    quality = int(rng.integers(15, 70) if coarse else 92)
    return coded(np.clip(np.rint(real), 0, 255).astype(np.uint8), quality)


def state_of(seen: Inspection) -> NDArray[np.float64]:
    """What the policy is told, about -1 to 1 each."""
    quality = 100 if seen.quality is None else seen.quality
    tones = (seen.tones.fading, seen.tones.cast / 60, np.mean(seen.tones.black) / 60)
    known = np.array([seen.noise.mean / 15, quality / 50 - 1, seen.blur_px or 0.7, *tones], np.float64)
    return np.concatenate([[1.0], known, np.square(known)])


def gains_of(content: bytes, truth: Rgb) -> list[float]:
    """Decibels that each chain gains."""
    before = decibels(np.asarray(as_picture(content).samples), truth)
    gains = []
    for chain in CHAINS.values():
        picture = as_picture(content)
        for options in chain:
            picture = restore_picture(picture, options).picture
        gains.append(decibels(np.asarray(picture.samples), truth) - before)
    return gains


def main() -> dict[str, Any]:
    """Learn, measure on what was set aside, and print the line."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    pictures = read_pictures([Path(name) for name in sys.argv[1:]], least_px=SIDE)
    states, gains = [], []
    for number in rng.permutation(len(pictures))[:PICTURES]:
        image = np.asarray(pictures[int(number)], np.uint8)
        top, left = ((n - SIDE) // 2 for n in image.shape[:2])
        truth = np.ascontiguousarray(image[top : top + SIDE, left : left + SIDE])
        content = worn(truth, rng)
        states.append(state_of(inspect_picture(as_picture(content))))
        gains.append(gains_of(content, truth))
        print(len(gains), np.round(gains[-1], 2).tolist(), file=sys.stderr, flush=True)
    seen, gained = np.array(states), np.array(gains)
    learn, aside = np.s_[ASIDE:], np.s_[:ASIDE]
    doubt = DOUBT * np.eye(seen.shape[1])
    weights = np.linalg.solve(seen[learn].T @ seen[learn] + doubt, seen[learn].T @ gained[learn])
    chosen = (seen[aside] @ weights).argmax(axis=1)
    rows = gained[aside]
    figures = {name: round(float(rows[:, k].mean()), 2) for k, name in enumerate(CHAINS)}
    figures["policy"] = round(float(rows[np.arange(len(rows)), chosen].mean()), 2)
    figures["best_of_all"] = round(float(rows[:, gained[learn].mean(axis=0).argmax()].mean()), 2)
    figures["best_of_each"] = round(float(rows.max(axis=1).mean()), 2)
    return print_line("chain_policy", pictures=len(rows), learned_from=len(gained) - len(rows), gain=figures)


if __name__ == "__main__":
    main()
