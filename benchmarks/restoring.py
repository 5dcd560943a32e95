"""Restoring against the truth and against peers: noise, JPEG, clean pictures, fading, size, side by side.

python -m benchmarks.restoring            # the middle 320² of each; clean pictures whole
python -m benchmarks.restoring --peers    # the middle 160² of each, with CDnCNN-B and FDnCNN beside ours
python -m benchmarks.restoring --jpeg     # JPEG alone
python -m benchmarks.restoring --fading   # fading alone
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.line import SHARED, print_line
from remend.adapt import as_picture
from remend.options.restoration import RestoreOptions
from remend.picture import Picture
from remend.restoration.enlarging import enlarged
from remend.restoration.net import clean
from remend.restoration.tones import apply_curves, curves_of, estimate_tones
from remend.restoring import restore_picture, take_off_blocks

Rgb = NDArray[np.uint8]
Worn = TypeVar("Worn")
SIGMAS, QUALITIES = (15, 25, 50), (10, 20, 40)
SIDE, PEERS_SIDE = 320, 160
VIEWS = RestoreOptions().views((512, 768))  # as the default looks at the whole pictures
NO_REPAIR = RestoreOptions(skip=("damage",))


def pictures(folder: str, side: int | None = None) -> list[Rgb]:
    """The pictures of a development set, or the middles of them."""
    found = []
    for path in sorted((SHARED / "dev" / folder).iterdir()):
        if path.suffix == ".png" and "_mask" in path.stem:
            continue
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]
        if side is not None:
            top, left = ((n - side) // 2 for n in image.shape[:2])
            image = image[top : top + side, left : left + side]
        found.append(np.ascontiguousarray(image))
    return found


def noised(image: Rgb, sigma: float, number: int) -> Rgb:
    """With Gaussian noise, rounded and clipped to 8 bits as a file holds it."""
    noise = np.random.default_rng([int(sigma), number]).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def coded(image: Rgb, quality: int) -> bytes:
    """As OpenCV's JPEG, colours at half size."""
    _, content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return content.tobytes()


def compressed(image: Rgb, quality: int) -> Rgb:
    """Through a JPEG and back."""
    return np.asarray(as_picture(coded(image, quality)).samples, np.uint8)


def shifted(image: Rgb) -> Rgb:
    """Without its first 4 rows and columns, so that a second JPEG's grid lies apart from the first one's."""
    return np.ascontiguousarray(image[4:, 4:])


def ours(image: Rgb, views: int = VIEWS) -> Rgb:
    """The net by itself, without the gate."""
    picture = Picture(image.copy(), "RGB")
    clean(picture, views=views)
    return np.asarray(picture.samples, np.uint8)


def ours_of_file(content: bytes, views: int = VIEWS) -> Rgb:
    """The net and what the file says, without the gate."""
    picture = as_picture(content)
    take_off_blocks(picture, views=views)
    return np.asarray(picture.samples, np.uint8)


def non_local(sigma: float) -> Callable[[Rgb], Rgb]:
    """OpenCV's non-local means, told the noise."""
    return lambda image: np.asarray(
        cv2.fastNlMeansDenoisingColored(image, None, 0.9 * sigma, 0.9 * sigma, 7, 21), np.uint8
    )


def decibels(one: Rgb, other: Rgb) -> float:
    """PSNR over all three channels."""
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def mean_decibels(truth: list[Rgb], worn: list[Worn], how: Callable[[Worn], Rgb]) -> float:
    """Over pictures."""
    return round(float(np.mean([decibels(how(w), t) for w, t in zip(worn, truth, strict=True)])), 2)


def peers() -> dict[str, Callable[[Rgb, float], Rgb]]:
    """Nets of DnCNN's authors for colour noise: the blind one, and the flexible one, which is told of it."""
    import h5py
    import torch
    from torch.nn import functional

    def layers(name: str) -> list[tuple[Any, Any]]:
        found = []
        with h5py.File(SHARED / "peers" / "dncnn" / f"{name}.mat") as file:
            for (reference,) in file["net"]["layers"]:
                layer = file[reference]
                if bytes(layer["type"][...].ravel().astype("uint8")) != b"conv":
                    continue
                kernel, bias = (file[one][...] for one in layer["weights"][...].ravel())
                found.append(
                    (torch.from_numpy(kernel.swapaxes(2, 3).copy()).float(), torch.from_numpy(bias).float())
                )
        return found

    def run(stack: list[tuple[Any, Any]], planes: NDArray[np.float32]) -> NDArray[np.float32]:
        x = torch.from_numpy(planes.transpose(2, 0, 1)[None].copy())
        with torch.inference_mode():
            for number, (kernel, bias) in enumerate(stack):
                x = functional.conv2d(x, kernel, bias.ravel(), padding=1)
                x = x.relu() if number < len(stack) - 1 else x
        return np.asarray(x[0].permute(1, 2, 0), np.float32)

    blind, told = layers("GD_Color_Blind"), layers("FDnCNN_color")

    def as_bytes(image: NDArray[np.float32]) -> Rgb:
        return np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)

    def of_blind(image: Rgb, _: float) -> Rgb:
        x = image.astype(np.float32) / 255
        return as_bytes(x - run(blind, x))

    def of_told(image: Rgb, sigma: float) -> Rgb:
        x = image.astype(np.float32) / 255
        level = np.full((*x.shape[:2], 1), sigma / 255, np.float32)
        return as_bytes(run(told, np.concatenate([x, level], axis=2)))

    return {"cdncnn_b": of_blind, "fdncnn": of_told}


def against_peers() -> dict[str, Any]:
    """Noise on the middles of Kodak24, with the peers in the same run."""
    truth = pictures("kodak24", PEERS_SIDE)
    methods = peers()
    figures: dict[str, Any] = {}
    for sigma in SIGMAS:
        worn = [noised(image, sigma, k) for k, image in enumerate(truth)]
        row = {"noisy": mean_decibels(truth, worn, lambda image: image)}
        row["remend"] = mean_decibels(truth, worn, ours)
        row["one_view"] = mean_decibels(truth, worn, lambda image: ours(image, 1))
        row["fast_nl_means"] = mean_decibels(truth, worn, non_local(sigma))
        for name, method in methods.items():
            row[name] = mean_decibels(truth, worn, lambda image, m=method, s=sigma: m(image, s))  # type: ignore[misc]
        figures[f"kodak24_{PEERS_SIDE}_noise_{sigma}"] = row
        print(row, file=sys.stderr)
    return figures


def by_ourselves() -> dict[str, Any]:
    """Noise, JPEG, fading on middles; clean pictures whole."""
    figures: dict[str, Any] = {}
    kodak = pictures("kodak24", SIDE)
    for sigma in SIGMAS:
        worn = [noised(image, sigma, k) for k, image in enumerate(kodak)]
        figures[f"kodak24_noise_{sigma}"] = {
            "noisy": mean_decibels(kodak, worn, lambda image: image),
            "remend": mean_decibels(kodak, worn, ours),
            "one_view": mean_decibels(kodak, worn, lambda image: ours(image, 1)),
        }
        print(sigma, figures[f"kodak24_noise_{sigma}"], file=sys.stderr)
    whole = pictures("kodak24")
    figures |= {**jpeg(), **fading(), **enlarging(whole)}
    return {**figures, **untouched(whole + pictures("cid22_val") + pictures("live1"))}


def jpeg() -> dict[str, Any]:
    """Gains over decoded middles of LIVE1: the net, with what files say, and with eight views."""
    figures: dict[str, Any] = {}
    live = pictures("live1", SIDE)
    cases = {f"jpeg_{quality}": (live, live, quality) for quality in QUALITIES}
    before = [shifted(compressed(image, 75)) for image in live]
    cases["jpeg_75_30_shifted"] = [shifted(image) for image in live], before, 30
    for name, (truth, shown, quality) in cases.items():
        files = [coded(image, quality) for image in shown]
        decoded = mean_decibels(truth, files, lambda file: np.asarray(as_picture(file).samples))
        methods: dict[str, Callable[[bytes], Rgb]] = {
            "net_alone": lambda file: ours(np.asarray(as_picture(file).samples)),
            "remend": ours_of_file,
            "one_view": lambda file: ours_of_file(file, 1),
        }
        gains = {how: mean_decibels(truth, files, method) - decoded for how, method in methods.items()}
        figures[f"live1_{name}"] = {"decoded": decoded, **{how: round(g, 2) for how, g in gains.items()}}
        print(name, figures[f"live1_{name}"], file=sys.stderr)
    return figures


def enlarging(truth: list[Rgb]) -> dict[str, Any]:
    """Twice as large against Pillow's cubic kernel, which also made the small ones; whole pictures."""
    figures: dict[str, Any] = {}
    even = [image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2] for image in truth]
    small = [cubic(image, 0.5) for image in even]
    for name, worn in (("twice", small), ("twice_jpeg_75", [compressed(image, 75) for image in small])):
        before = mean_decibels(even, worn, lambda image: cubic(image, 2))
        after = mean_decibels(even, worn, lambda image: enlarged(Picture(image, "RGB"), 2).samples)
        figures[f"kodak24_{name}"] = {"cubic": before, "remend": after, "gain": round(after - before, 2)}
        print(name, figures[f"kodak24_{name}"], file=sys.stderr)
    return figures


def cubic(image: Rgb, factor: float) -> Rgb:
    """By Pillow."""
    size = round(factor * image.shape[1]), round(factor * image.shape[0])
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def untouched(clean_ones: list[Rgb]) -> dict[str, Any]:
    """How many clean pictures all steps but the repair of damage leave as they are, and what others lose."""
    changes = []
    for image in clean_ones:
        done = restore_picture(Picture(image.copy(), "RGB"), NO_REPAIR)
        change = np.abs(done.picture.samples.astype(np.int16) - image).mean()
        changes.append(float(change) if done.changed.any() else 0.0)
    kept = sum(change == 0 for change in changes)
    row = {"identical": kept, "of": len(changes), "most_levels": round(max(changes), 2)}
    row["levels"] = [round(change, 2) for change in changes if change]  # type: ignore[assignment]
    print("clean", row, file=sys.stderr)
    return {"clean": row}


def along_lines(image: Rgb, rng: np.random.Generator) -> Rgb:
    """Faded along a straight line a channel, with a cast."""
    black = rng.uniform(20, 60) + rng.uniform(-15, 25, 3)
    white = rng.uniform(170, 225) + rng.uniform(-35, 15, 3)
    return np.clip(np.rint(black + image * ((white - black) / 255)), 0, 255).astype(np.uint8)


def by_dyes(image: Rgb, rng: np.random.Generator) -> Rgb:
    """Faded as three dyes do, each by a share of its density, under a yellow stain; no net was taught so."""
    levels = image / 255.0
    light = np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)
    left = rng.uniform(0.45, 0.85) + rng.uniform(-0.12, 0.12, 3)
    stain = rng.uniform(0.02, 0.12) + np.array([0, 0.5, 1]) * rng.uniform(0, 0.12)
    light = np.clip((light + 0.012) ** left * 10**-stain, 0, 1)
    levels = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    return np.rint(255 * levels).astype(np.uint8)


def fading() -> dict[str, Any]:
    """CIEDE2000 to the truth after and before, on made fading with a cast; how many are seen to be faded."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    figures = {}
    kodak, cid = pictures("kodak24"), pictures("cid22_val")
    sets = {
        "kodak24": (kodak, along_lines),
        f"kodak24_{SIDE}": (pictures("kodak24", SIDE), along_lines),
        "cid22_val": (cid, along_lines),
        "kodak24_dyes": (kodak, by_dyes),
        "cid22_val_dyes": (cid, by_dyes),
    }
    for name, (truth, fade) in sets.items():
        rng = np.random.default_rng(5)
        ratios, seen = [], 0
        for image in truth:
            worn = fade(image, rng)
            picture = Picture(worn.copy(), "RGB")
            if curves := curves_of(estimate_tones(worn)):
                seen += 1
                apply_curves(picture, curves)
            looked_at = np.s_[::3, ::3]
            truly = rgb2lab(image[looked_at])
            before, after = (
                deltaE_ciede2000(truly, rgb2lab(one[looked_at])).mean() for one in (worn, picture.samples)
            )
            ratios.append(after / before)
        figures[f"fading_{name}"] = {
            "ciede2000_after_to_before": round(float(np.mean(ratios)), 3),
            "worse": int(sum(ratio > 1.02 for ratio in ratios)),
            "seen": seen,
            "of": len(truth),
        }
        print(name, figures[f"fading_{name}"], file=sys.stderr)
    return figures


def main() -> dict[str, Any]:
    """Measure, and print the line."""
    if not Path(SHARED).is_dir():
        sys.exit("needs the development sets of ../shared/data")
    asked = {"--peers": against_peers, "--jpeg": jpeg, "--fading": fading}
    figures = next((measure for flag, measure in asked.items() if flag in sys.argv), by_ourselves)()
    return print_line("restoring", **figures)


if __name__ == "__main__":
    main()
