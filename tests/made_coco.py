"""COCO's layout with made pictures: coloured boxes on grey, so that pixels tell what labels must say."""

import json
from pathlib import Path

import cv2
import numpy as np

COLOURS = {"blue": (40, 60, 220), "red": (220, 40, 40)}
KINDS = sorted(COLOURS)
GREY = 128
SIZE = (80, 96)


def write_coco(root: Path, count: int = 12, *, unlabelled: int = 0) -> Path:
    """Write ``count`` pictures, 80 × 96, the last ``unlabelled`` of them without annotations."""
    (root / "train2017").mkdir(parents=True)
    (root / "annotations").mkdir()
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(count):
        picture = np.full((*SIZE, 3), GREY, np.uint8)
        for half in range(2):  # one thing on the left, one on the right: they never cover each other
            kind = KINDS[int(rng.integers(2))]
            width, height = int(rng.integers(20, 36)), int(rng.integers(20, 50))
            x, y = half * 48 + int(rng.integers(4, 46 - width)), int(rng.integers(4, 76 - height))
            picture[y : y + height, x : x + width] = COLOURS[kind]
            outline = [x, y, x + width, y, x + width, y + height, x, y + height]
            if number < count - unlabelled:
                annotations.append(
                    {
                        "image_id": number,
                        "category_id": KINDS.index(kind),
                        "bbox": [x, y, width, height],
                        "segmentation": [outline],
                        "iscrowd": 0,
                    }
                )
        name = f"{number:03d}.png"
        cv2.imwrite(str(root / "train2017" / name), picture[..., ::-1])
        images.append({"id": number, "file_name": name})
    facts = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": i, "name": kind} for i, kind in enumerate(KINDS)],
    }
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(facts))
    return root
