"""Faults that a test must notice: each is put into a copy of the source, and its tests must fail.

`make mutants` runs them all, some two minutes; `python tests/mutations.py WORD` those whose name holds it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Attributes:
        name: what is wrong with it.
        file: where, below src/remend.
        before: text that is there once.
        after: what takes its place.
        tests: files of which one test at least must fail.
    """

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...] = ("tests/test_joint.py",)


PLAN = ("tests/plan/test_plan.py",)
WRAPS = ("tests/test_wraps.py",)
MUTATIONS = (
    Mutation(
        "every step has the same seed",
        "filling.py",
        "[seed + k for k in range(len(group))]",
        "[seed - seed % 1_000_003 for k in group]",
    ),
    Mutation(
        "the seed of the job is not heard",
        "pipeline.py",
        "first = settings.seed * 1_000_003",
        "first = 0",
    ),
    Mutation(
        "all mosaics of a group have one seed",
        "filling.py",
        "group, mosaics, seeds))",
        "group, mosaics, seeds[:1] * len(seeds)))",
    ),
    Mutation("what a window has filled stays pending", "filling.py", "waiting &= ~hole", "pass"),
    Mutation(
        "what a mosaic has filled stays pending", "windows/mosaic.py", "pending[to_y, to_x] = False", "pass"
    ),
    Mutation(
        "damage whose turn has not come is read",
        "filling.py",
        "readable(self.picture, box) & ~part(self.pending, box)",
        "readable(self.picture, box)",
    ),
    Mutation(
        "what is written over the border is lost",
        "picture.py",
        "        plane[box.top : box.bottom, columns] = changed[:, here]",
        "        pass",
        WRAPS,
    ),
    Mutation(
        "a window ends at the border of a panorama",
        "picture.py",
        "        if wraps_x:",
        "        if False:",
        WRAPS,
    ),
    Mutation(
        "holes over the border are two",
        "plan/holes.py",
        "    if wraps_x:\n        for members",
        "    if False:\n        for members",
        WRAPS,
    ),
    Mutation(
        "tiles at the border are mirrored in a panorama",
        "windows/mosaic.py",
        "if picture.wraps_x else",
        "if False else",
        WRAPS,
    ),
    Mutation(
        "mosaics of a group read one another",
        "filling.py",
        "size = MOSAICS_AT_ONCE if tiled else 1",
        "size = 1",
    ),
    Mutation("strayed colours are let be", "filling.py", "filler.capabilities.strays", "False"),
    Mutation("the tone is not kept", "filling.py", "after = keep_tone(after, hole, usable)", "pass"),
    Mutation("seams are not healed", "filling.py", "return heal_seam(after, hole, usable)", "return after"),
    Mutation("the amount of grain is ignored", "filling.py", "amount=grain", "amount=1.0"),
    Mutation("all grain has one seed", "filling.py", "found, seed=seed, amount", "found, seed=0, amount"),
    Mutation("no prior is made", "filling.py", "if filler.capabilities.takes_prior:", "if False:"),
    Mutation(
        "other channels do not follow what was copied",
        "filling.py",
        "(leading.source_xy[hole] >= 0).all()",
        "False",
    ),
    Mutation(
        "alpha is not filled when asked for", "filling.py", "alpha=self.settings.repair_alpha", "alpha=False"
    ),
    Mutation("polished tiles have no margin", "finish/polish.py", "MARGIN_PX = 24", "MARGIN_PX = 0"),
    Mutation(
        "a repair sets OpenCV's threads",
        "filling.py",
        "with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:",
        "cv2.setNumThreads(1)\n        with ThreadPoolExecutor(2) as pool:",
        ("tests/test_overlap.py",),
    ),
    Mutation(
        "holes are never merged",
        "plan/plan.py",
        "if both.width <= picture.width and both.area <= box.area + other[0].area + CALL_PX:",
        "if False:",
    ),
    Mutation(
        "holes are always merged",
        "plan/plan.py",
        "if both.width <= picture.width and both.area <= box.area + other[0].area + CALL_PX:",
        "if True:",
    ),
    Mutation(
        "rungs are not filled in their order",
        "plan/plan.py",
        "_pass_of(step, policy), step.tiles is None",
        "step.tiles is None",
        PLAN,
    ),
    Mutation("windows come before tiles", "plan/plan.py", "step.tiles is None, step.window", "step.window"),
    Mutation(
        "the context does not grow with the radius",
        "plan/plan.py",
        "max(can.context_px, can.context_radii * radius_px)",
        "can.context_px",
    ),
    Mutation("wide holes are cut by tiles", "plan/plan.py", "THIN_PX = 6.0", "THIN_PX = 60.0"),
    Mutation(
        "a tile's margin does not grow with the radius",
        "plan/plan.py",
        "max(can.context_px, ceil(MARGIN_RADII * widest))",
        "can.context_px",
    ),
    Mutation(
        "texture is measured on the damage's soft edge",
        "plan/holes.py",
        "ring = near & ~fringe",
        "ring = near & ~damaged",
        PLAN,
    ),
    Mutation(
        "holes are not told apart",
        "plan/holes.py",
        "if widest <= alike_up_to_px and not ring:",
        "if True:",
        PLAN,
    ),
    Mutation(
        "a share that is not exceeded counts",
        "plan/policy.py",
        "hole.share <= self.beyond_share",
        "hole.share < self.beyond_share",
        PLAN,
    ),
    Mutation(
        "a radius within bounds does not count",
        "plan/policy.py",
        "hole.radius_px > self.radius_px",
        "hole.radius_px >= self.radius_px",
        PLAN,
    ),
    Mutation(
        "texture within bounds does not count",
        "plan/policy.py",
        "hole.activity > self.activity",
        "hole.activity >= self.activity",
        PLAN,
    ),
    Mutation(
        "unevenness within bounds does not count",
        "plan/policy.py",
        "hole.unevenness > self.unevenness",
        "hole.unevenness >= self.unevenness",
        PLAN,
    ),
    Mutation(
        "a share of the border that is not exceeded counts",
        "plan/policy.py",
        "hole.border <= self.beyond_border",
        "hole.border < self.beyond_border",
        PLAN,
    ),
    Mutation(
        "a hole that fills its cells has no radius",
        "plan/holes.py",
        "int(box.top > 0), int(box.bottom < size[0])",
        "0, 0",
        PLAN,
    ),
    Mutation(
        "what can be afforded is not",
        "plan/policy.py",
        "damaged_px <= r.most_px",
        "damaged_px < r.most_px",
        PLAN,
    ),
    Mutation(
        "texture is measured for no hole",
        "plan/policy.py",
        "            bound = rung.radius_px\n        return bound",
        "            bound = rung.radius_px\n        return None",
        PLAN,
    ),
    Mutation(
        "windows are never made smaller",
        "windows/scale.py",
        "min(1.0, window_px / max(box.height, box.width))",
        "1.0",
    ),
    Mutation(
        "mosaics grow beyond their filler", "windows/tiles.py", "if mosaic_px is not None:", "if False:"
    ),
    Mutation("neighbours in a mosaic mix", "windows/tiles.py", "GUARD_PX = 2", "GUARD_PX = 0"),
    Mutation(
        "lines of a tile are not its own",
        "windows/mosaic.py",
        "self.rows[k], self.columns[k]",
        "self.rows[0], self.columns[0]",
        ("tests/windows/test_mosaic.py",),
    ),
    Mutation(
        "transparent pixels are read",
        "samples.py",
        "native[..., picture.alpha_channel] > 0",
        "native[..., picture.alpha_channel] >= 0",
    ),
    Mutation(
        "names that differ in case collide nowhere",
        "album.py",
        'folded.setdefault(normalize("NFC", key).lower(), job)',
        'folded.setdefault(normalize("NFC", key), job)',
        ("tests/test_album.py",),
    ),
    Mutation(
        "a result in another case replaces an input",
        "album.py",
        'normalize("NFC", str(job.source.absolute())).lower()',
        'normalize("NFC", str(job.source.absolute()))',
        ("tests/test_album.py",),
    ),
    Mutation(
        "blank areas are not told",
        "damage/find.py",
        "found += rows + by_rules",
        "found += rows",
        ("tests/damage/test_find.py",),
    ),
    Mutation(
        "lettering is evidence of damage",
        "damage/find.py",
        "planes[DAMAGE, spared] = 0",
        "pass",
        ("tests/damage/test_find.py",),
    ),
    Mutation(
        "a mask of four fifths is too much",
        "finding.py",
        "share > MOST_SHARE",
        "share >= MOST_SHARE",
        ("tests/damage/test_given_levels.py",),
    ),
)


def outcome(mutation: Mutation, source: Path) -> str:
    """``killed``, ``SURVIVED``, or why it cannot be told.

    Args:
        mutation: what to try.
        source: a copy of src; as it was afterwards.
    """
    path = source / "remend" / mutation.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutation.before) != 1:
        return f"STALE: its text is there {text.count(mutation.before)} times"
    path.write_text(text.replace(mutation.before, mutation.after), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow"]
    environment = os.environ | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, *mutation.tests], cwd=ROOT, env=environment, capture_output=True, timeout=600
        )
    finally:
        path.write_text(text, encoding="utf-8")
    return {0: "SURVIVED", 1: "killed"}.get(done.returncode, f"BROKEN: pytest ended with {done.returncode}")


def main(word: str = "") -> int:
    """Try all whose name holds ``word``; how many were not killed."""
    left = 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        for mutation in MUTATIONS:
            if word in mutation.name:
                result = outcome(mutation, source)
                left += result != "killed"
                print(f"{result:<9} {mutation.file:<18} {mutation.name}", flush=True)
    print(f"{left} not killed")
    return left


if __name__ == "__main__":
    sys.exit(min(1, main(*sys.argv[1:2])))
