"""Make the pictures of this folder from pictures in the public domain, with our own damage generators.

    python examples/make.py        # needs scikit-image, whose wheel carries the originals

The results are in the repository; run this only to change them. README.md names each source.
"""

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from skimage import data

from remend.damage.synth import damage_picture, make_mask

HERE = Path(__file__).parent


def save(name: str, image: np.ndarray, **options: object) -> None:
    """Write a picture into this folder."""
    PIL.Image.fromarray(image).save(HERE / name, **options)


def save_mask(name: str, mask: np.ndarray) -> None:
    """Write a mask beside its picture, white = repair."""
    PIL.Image.fromarray(mask).save(HERE / name, optimize=True)


def scratched_portrait() -> None:
    """Scratches and dust; no mask: `remend repair` finds them."""
    image, _ = damage_picture(data.astronaut(), "scratches", seed=11, count=14)
    image, _ = damage_picture(image, "dust", seed=5)
    save("portrait-scratched.jpg", image, quality=92)


def old_print() -> None:
    """A grey picture with cracks and dust, toned as an old print, with their mask."""
    grey = cv2.cvtColor(data.camera(), cv2.COLOR_GRAY2RGB)
    image, cracks = damage_picture(grey, "cracks", seed=2, style="branching")
    image, dust = damage_picture(image, "dust", seed=8)
    sepia = image[..., :1] * np.array([1.0, 0.91, 0.78]) + np.array([6.0, 3.0, 0.0])
    save("print-cracked.jpg", np.clip(sepia, 0, 255).astype(np.uint8), quality=92)
    save_mask("print-cracked_mask.png", cracks | dust)


def cup_with_a_stamp() -> None:
    """A stamp and a date burnt in, with their mask."""
    image, mask = damage_picture(data.coffee(), "text", seed=4)
    save("cup-stamped.jpg", image, quality=92)
    save_mask("cup-stamped_mask.png", mask)


def cat_with_lost_blocks() -> None:
    """Missing blocks of a damaged transmission, with their mask."""
    cat = data.chelsea()
    mask = make_mask("blocks", cat.shape[:2], seed=6, ratio=(0.04, 0.08))
    cat[mask] = 0
    save("cat-blocks.png", cat)
    save_mask("cat-blocks_mask.png", mask)


def launch_without_masts() -> None:
    """Things to take away: hand-drawn masks over the two masts beside the rocket."""
    image = data.rocket()
    mask = np.zeros(image.shape[:2], np.uint8)
    left = [[192, 114], [210, 114], [212, 190], [226, 427], [152, 427], [170, 300], [182, 190]]
    right = [[438, 114], [456, 114], [464, 200], [490, 427], [416, 427], [428, 300], [437, 200]]
    cv2.fillPoly(mask, [np.array(left), np.array(right)], 255)
    save("launch.jpg", image, quality=92)
    save_mask("launch_mask.png", mask > 0)


def gravel_with_a_hole() -> None:
    """A wide hole in a texture, for --quality best."""
    gravel = data.gravel()[128:448, 64:448]
    mask = make_mask("free-form", gravel.shape, seed=9, ratio=(0.1, 0.2))
    save("gravel-hole.png", np.where(mask, 255, gravel).astype(np.uint8))
    save_mask("gravel-hole_mask.png", mask)


if __name__ == "__main__":
    scratched_portrait()
    old_print()
    cup_with_a_stamp()
    cat_with_lost_blocks()
    launch_without_masts()
    gravel_with_a_hole()
