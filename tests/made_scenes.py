"""Landscapes with damage and things at known places, for tests of what is said about them."""

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np

from remend.damage.given import dilated
from remend.errors import UsageError
from remend.options import FOUND_DILATION_PX
from remend.saying.choice import meant
from remend.saying.grammar import parse
from remend.saying.scene import Scene as Seen

HORIZON = 200
SIZE = (400, 600)
DATE = (255, 140, 30)
RED, BLUE, GREEN, YELLOW = (200, 30, 30), (30, 50, 180), (20, 170, 50), (235, 205, 40)
LEAST = 0.5  # IoU of what is marked and what is meant


@dataclass
class Scene:
    """A picture, and where by name each thing lies in it, (H, W) bool."""

    pixels: np.ndarray
    masks: dict[str, np.ndarray] = field(default_factory=dict)

    def of(self, *names: str) -> np.ndarray:
        """The union of things."""
        return np.logical_or.reduce([self.masks[name] for name in names])

    def lay(self, name: str, cover: np.ndarray, colour: tuple[int, int, int]) -> None:
        """Lay a colour over the picture; ``cover`` is (H, W) from 0 to 1."""
        share = cover[..., None]
        self.pixels = np.rint(self.pixels * (1 - share) + np.array(colour) * share).astype(np.uint8)
        self.masks[name] = self.masks.get(name, np.zeros(SIZE, bool)) | (cover > 0.4)

    def scratch(self, name: str, *points: tuple[int, int], colour=(250, 250, 248), width: int = 2) -> None:
        ink = np.zeros(SIZE, np.uint8)
        cv2.polylines(ink, [_curve(points)], False, 255, width, cv2.LINE_AA, 4)
        self.lay(name, ink / 255, colour)

    def dust(self, name: str, x: int, y: int, count: int = 9, spread: int = 30, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        ink = np.zeros(SIZE, np.uint8)
        for _ in range(count):
            at = np.rint(rng.uniform(-spread, spread, 2) * 16 + np.array([x, y]) * 16).astype(int)
            axes = tuple(np.rint(rng.uniform(2.2, 3.8, 2) * 16).astype(int).tolist())
            cv2.ellipse(
                ink, tuple(at.tolist()), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA, 4
            )
        self.lay(name, ink / 255, (252, 252, 250))

    def stain(self, name: str, x: int, y: int, radius: int = 32, colour=(112, 74, 36)) -> None:
        rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
        angle = np.arctan2(rows - y, columns - x)
        reach = radius * (1 + 0.12 * np.sin(3 * angle) + 0.07 * np.sin(7 * angle + 1))
        away = np.hypot(rows - y, columns - x) / reach
        rim = 0.5 + 0.35 * np.exp(-(((away - 0.93) / 0.08) ** 2))
        self.lay(name, rim * np.clip((1.04 - away) / 0.08, 0, 1), colour)

    def hole(self, name: str, x: int, y: int, radius: int = 16) -> None:
        angles = np.linspace(0, 2 * np.pi, 17)[:-1]
        reach = radius * (1 + 0.35 * np.random.default_rng(x).uniform(-1, 1, 16))
        points = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], axis=1)
        ink = np.zeros(SIZE, np.uint8)
        cv2.fillPoly(ink, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        self.lay(name, ink / 255, (253, 253, 251))

    def ball(self, name: str, x: int, y: int, colour: tuple[int, int, int], radius: int = 22) -> None:
        rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
        cover = np.clip(radius + 0.5 - np.hypot(rows - y, columns - x), 0, 1)
        light = 1 - 0.35 * np.clip(np.hypot(rows - y + 8, columns - x + 8) / radius - 0.3, 0, 1)
        shaded = np.clip(np.array(colour) * light[..., None], 0, 255)
        self.pixels = np.rint(self.pixels * (1 - cover[..., None]) + shaded * cover[..., None]).astype(
            np.uint8
        )
        self.masks[name] = cover > 0.4

    def text(self, name: str, words: str, x: int, y: int, colour=DATE, size: float = 0.55) -> None:
        ink = np.zeros(SIZE, np.uint8)
        cv2.putText(ink, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, 255, 2, cv2.LINE_AA)
        self.lay(name, ink / 255, colour)
        ys, xs = np.nonzero(ink)
        self.masks[f"{name}:box"] = np.zeros(SIZE, bool)
        self.masks[f"{name}:box"][ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] = True


def landscape(seed: int = 1) -> Scene:
    """Sky over hills and a meadow, with grain; nothing on it yet."""
    rng = np.random.default_rng(seed)
    height, width = SIZE
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    sky = np.stack([110 + 0.25 * rows, 150 + 0.22 * rows, 205 + 0.1 * rows], axis=2)
    clouds = cv2.GaussianBlur(rng.normal(0, 1, SIZE), (0, 0), 26)
    sky += 14 * (clouds / clouds.std())[..., None].clip(-1.5, 1.5)
    rough = cv2.GaussianBlur(rng.normal(0, 1, SIZE), (0, 0), 2.5)
    fine = cv2.GaussianBlur(rng.normal(0, 1, SIZE), (0, 0), 0.8)
    grass = np.stack([92 + 0 * rows, 112 - 0.05 * (rows - HORIZON), 66 + 0 * rows], axis=2)
    grass += (9 * rough / rough.std() + 6 * fine / fine.std())[..., None] * np.array([1, 1, 0.7])
    edge = HORIZON + 14 * np.sin(columns / 70) + 6 * np.sin(columns / 23 + 1)
    ground = np.clip(rows - edge, 0, 1)[..., None]
    pixels = sky * (1 - ground) + grass * ground + rng.normal(0, 2.0, (height, width, 3))
    scene = Scene(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    scene.masks["sky"] = rows < edge
    return scene


def _curve(points: tuple[tuple[int, int], ...]) -> np.ndarray:
    """A smooth line through points, in sixteenths of a pixel."""
    given = np.array(points, float)
    t = np.linspace(0, len(given) - 1, 60)
    line = np.stack([np.interp(t, np.arange(len(given)), given[:, k]) for k in (0, 1)], axis=1)
    return np.rint(line * 16).astype(np.int32)


def mixed() -> Scene:
    scene = landscape(1)
    scene.scratch("sky scratch", (60, 60), (140, 90), (230, 80), width=3)
    scene.scratch("ground scratch", (380, 260), (430, 300), (500, 310), width=3)
    scene.dust("dust", 480, 70)
    scene.stain("stain", 120, 300)
    scene.text("date", "94 7 21", 500, 385)
    scene.ball("red ball", 300, 330, RED)
    scene.ball("blue ball", 230, 250, BLUE)
    scene.hole("hole", 560, 235)
    return scene


def pairs() -> Scene:
    scene = landscape(2)
    for number, x in enumerate((90, 300, 510), start=1):
        scene.scratch(f"scratch {number}", (x, 230), (x + 8, 290), (x + 4, 360))
    scene.ball("left ball", 180, 300, RED)
    scene.ball("right ball", 430, 300, RED)
    scene.ball("green ball", 380, 240, GREEN)
    scene.text("caption", "SUMMER 1994", 20, 385, colour=(255, 240, 0), size=0.7)
    scene.text("date", "94 7 21", 500, 385)
    scene.dust("dust", 420, 90, seed=3)
    return scene


def worn() -> Scene:
    scene = landscape(3)
    scene.stain("large stain", 150, 310, 46)
    scene.stain("small stain", 470, 330, 22)
    scene.scratch("level scratch", (60, 232), (180, 246), (330, 238), width=3)
    scene.scratch("upright scratch", (400, 30), (404, 90), (400, 170))
    scene.dust("sky dust", 120, 80, seed=5)
    scene.dust("ground dust", 330, 330, seed=6)
    scene.ball("yellow ball", 540, 260, YELLOW)
    return scene


SCENES = {"mixed": mixed, "pairs": pairs, "worn": worn}


@cache
def seen(name: str) -> tuple[Scene, Seen]:
    made = SCENES[name]()
    return made, Seen(made.pixels)


def covered(regions) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    for region in regions:
        mask[region.box.slices] |= region.mask
    return dilated(mask, FOUND_DILATION_PX)


def agreement(name: str, command: str, wanted: str) -> float:
    """IoU of what a command marks and what it means, both with the rim that repairs take along."""
    made, scene = seen(name)
    truth = dilated(made.of(*wanted.split("+")), FOUND_DILATION_PX)
    mask = covered(meant(parse(command), scene).regions)
    return float((mask & truth).sum() / (mask | truth).sum())


def missed(commands) -> list[str]:
    found = []
    for name, command, wanted in commands:
        try:
            agrees = agreement(name, command, wanted)
        except UsageError as error:
            found.append(f"{command}: {error}")
            continue
        if agrees < LEAST:
            found.append(f"{command}: {agrees:.2f}")
    return found
