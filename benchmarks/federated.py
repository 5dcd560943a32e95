"""Five members, each with another kind of damage, against central training and against each one alone.

python -m benchmarks.federated                    # some minutes of a core
python -m benchmarks.federated --samples 4000 --ways central,alone,fedavg,fedprox,secagg

Twelve textures: three quarters of each are dealt out by a Dirichlet distribution over textures, nobody holds
the fourth. All begin with the embedded net for thin damage. Every way sees as many crops: a member
``--samples``, central training five times as many, with all pictures and all kinds of damage. Figures are the
mean hole PSNR over all five kinds on the quarters that nobody has.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from benchmarks.line import print_line
from benchmarks.made_textures import TEXTURES, texture
from remend.adapting import START
from remend.nets.weights.portable import load_exported
from remend.train.data.masks import MaskBank
from remend.train.data.pictures import Pictures
from remend.train.data.samples import Sample
from remend.train.data.sources import groups_of
from remend.train.federated.here import simulate
from remend.train.federated.member import Arrays, Member, arrays_of, fresh, put_into
from remend.train.federated.shares import KINDS, OneKind, dealt
from remend.train.federated.terms import Terms
from remend.train.personal.tune import recipe_of
from remend.train.run.validation import base_scores, fill_samples, scores

SIDE = 64
MASKS = 24  # of each kind


def textures() -> tuple[Pictures, Pictures]:
    """Three quarters of each, named after it, and the fourth."""
    ours, held = {}, {}
    for name in TEXTURES:
        whole = texture(name)
        half = whole.shape[0] // 2
        for number in range(4):
            top, left = half * (number // 2), half * (number % 2)
            part = np.ascontiguousarray(whole[top : top + half, left : left + half])
            (held if number == 3 else ours)[f"{name}/{number}"] = part
    return tuple(Pictures(tuple(kept), tuple(kept.values()), groups_of(kept)) for kept in (ours, held))  # type: ignore[return-value]


@dataclass
class AllKinds(MaskBank):
    """What central training knows: one kind as often as another."""

    banks: list[OneKind] = field(
        default_factory=lambda: [OneKind(n, MASKS, kind=k) for n, k in enumerate(KINDS)]
    )

    def draw(self, group: str, side: int, rng: np.random.Generator) -> np.ndarray:
        """A hole of any kind."""
        return self.banks[int(rng.integers(len(self.banks)))].draw(group, side, rng)


def judges(pictures: Pictures, each: int) -> list[Sample]:
    """Crops of pictures that nobody has, as many of each kind of damage, by masks that nobody has."""
    made = []
    for number, kind in enumerate(KINDS):
        bank = OneKind(1000 + number, 8, kind=kind)
        for index in range(each):
            rng = np.random.default_rng([7, number, index])
            picture = pictures[index % len(pictures)]
            top, left = (int(rng.integers(length - SIDE + 1)) for length in picture.shape[:2])
            target = np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE])
            hole = bank.draw("", SIDE, rng)
            made.append(Sample(np.where(hole[..., None], np.uint8(0), target), target, hole, kind))
    return made


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=800, help="crops that a member sees in all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--prox", type=float, default=0.001)
    parser.add_argument("--ways", default="central,alone,fedavg,fedprox,secagg")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    ours, held = textures()
    samples = judges(held, 24)

    def terms(times: int = 1, **more: float | bool) -> Terms:
        settings = [f"data.crop_px={SIDE}", "train.warmup=80", "train.ema_half_life=400"]
        return Terms(recipe_of(asked.samples * times, settings=settings), rounds=asked.rounds, **more)  # type: ignore[arg-type]

    shares = dealt([name.split("/")[0] for name in ours.names], len(KINDS), alpha=asked.alpha)
    members = [Member(ours.only(s), OneKind(n, MASKS, kind=KINDS[n]), seed=n) for n, s in enumerate(shares)]
    print_line(
        "federated", way="base fill", pictures=[len(s) for s in shares], **rounded(base_scores(samples))
    )

    def judged(way: str, learn: Callable[[], Arrays]) -> None:
        since = time.process_time()
        net = fresh(terms())
        put_into(net, learn())
        outputs = fill_samples(net.eval(), samples, torch.device("cpu"))
        spent = round(time.process_time() - since)
        print_line("federated", way=way, seconds=spent, **rounded(scores(samples, outputs)))

    net = fresh(terms())
    net.load_state_dict(load_exported(START)[0])
    start = arrays_of(net)
    judged("the start", lambda: start)
    central = Member(ours, AllKinds(0))
    one = terms(len(KINDS)).alone()
    ways = asked.ways.split(",")
    if "central" in ways:
        judged("central", lambda: central.fit(start, 0, one)[0])
    for number, member in enumerate(members) if "alone" in ways else ():
        judged(f"alone, {KINDS[number]}", lambda member=member: member.fit(start, 0, terms().alone())[0])
    for way, more in (("fedavg", {}), ("fedprox", {"prox": asked.prox}), ("secagg", {"secagg": True})):
        if way in ways:
            judged(way, lambda more=more: simulate(terms(**more), members, start=start))


def rounded(found: dict[str, float]) -> dict[str, float]:
    """Hole PSNR alone, to a hundredth."""
    return {name: round(value, 2) for name, value in found.items() if name.startswith("psnr")}


if __name__ == "__main__":
    main()
