"""Samples for other trainers, and the example that trains a U-Net in Keras by them."""

import importlib.util
import itertools
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import remend
from remend.train.config import Data
from remend.train.data.pairs import pairs
from remend.train.data.pictures import read_pictures
from remend.train.data.samples import Sampler

EXAMPLE = Path(__file__).parents[2] / "examples" / "keras_unet.py"


def test_pairs_are_the_samples_of_the_trainer_channels_last(photos):
    data = Data(crop_px=64)
    drawn = list(itertools.islice(pairs([photos], data, seed=3, start=5), 4))
    sampler = Sampler.of(read_pictures([photos], least_px=64), data, 3)
    for number, (image, hole, target) in enumerate(drawn, start=5):
        sample = sampler(number)
        assert image.shape == target.shape == (64, 64, 3)
        assert hole.shape == (64, 64, 1)
        assert np.array_equal(np.round(image * 255), sample.image)
        assert np.array_equal(np.round(target * 255), sample.target)
        assert not image[hole[..., 0] > 0].any()


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("tensorflow", "keras", "tf2onnx", "onnx")),
    reason="TensorFlow, Keras and tf2onnx are not installed",
)
def test_a_unet_of_keras_learns_and_comes_back_through_onnx(photos, tmp_path):
    made = tmp_path / "keras.onnx"
    words = [str(EXAMPLE), str(photos), "-o", str(made), "--steps", "3", "--batch", "2", "--crop-px", "64"]
    subprocess.run([sys.executable, *words, "--widths", "4", "8"], check=True, timeout=600)
    picture = cv2.imread(str(photos / "03.png"))[..., ::-1].copy()
    mask = np.zeros(picture.shape[:2], bool)
    mask[20:40, 30:60] = True
    answer = remend.repair(picture, mask, method=str(made))
    assert np.array_equal(answer[~mask], picture[~mask])
    assert not np.array_equal(answer[mask], picture[mask])
