"""A U-Net in Keras 3: learned by ``model.fit`` on Remend's holes, and back through ONNX to ``remend repair``.

pip install 'remend[tensorflow]' tensorflow tf2onnx
python examples/keras_unet.py photos/ -o keras.onnx --steps 2000
remend repair photo.jpg -m mask.png --method keras.onnx
"""

import argparse
from pathlib import Path

import keras
import onnx
import tensorflow as tf
from keras import layers

from remend.train.config import Data
from remend.train.data.pairs import pairs


def unet(widths: tuple[int, ...]) -> keras.Model:
    """(H, W, 3) and (H, W, 1) in, channels last; the picture with its hole filled out."""
    image, hole = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    x, skips = layers.Concatenate()([image, hole]), []
    for width in widths[:-1]:
        x = _pair(x, width)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = _pair(x, widths[-1])
    for width, skip in zip(reversed(widths[:-1]), reversed(skips), strict=True):
        x = _pair(layers.Concatenate()([layers.UpSampling2D()(x), skip]), width)
    drawn = layers.Conv2D(3, 1, activation="sigmoid")(x)
    # Known pixels go out as they came in, so that what is served keeps the contract of model files.
    filled = layers.Add()([layers.Multiply()([image, _known(hole)]), layers.Multiply()([drawn, hole])])
    return keras.Model([image, hole], filled)


def _known(hole: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Rescaling(-1.0, 1.0)(hole)


def _pair(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    for _ in range(2):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return x


def dataset(folder: Path, crop_px: int, batch: int) -> tf.data.Dataset:
    """Batches of ((image, hole), target), prepared while the net learns."""

    def generator():
        for image, hole, target in pairs([folder], Data(crop_px=crop_px)):
            yield (image, hole), target

    plane = tf.TensorSpec((crop_px, crop_px, 3), tf.float32)
    mask = tf.TensorSpec((crop_px, crop_px, 1), tf.float32)
    samples = tf.data.Dataset.from_generator(generator, output_signature=((plane, mask), plane))
    return samples.batch(batch).prefetch(tf.data.AUTOTUNE)


def export(model: keras.Model, path: Path) -> None:
    """The model as a file that `remend repair --method` runs: planes first, inputs and output by name."""
    image, hole = keras.Input((3, None, None)), keras.Input((1, None, None))
    last = layers.Permute((2, 3, 1))
    filled = layers.Permute((3, 1, 2))(model([last(image), last(hole)]))
    served = keras.Model([image, hole], filled)
    served([tf.zeros((1, 3, 32, 32)), tf.zeros((1, 1, 32, 32))])  # Keras exports what was called once
    served.export(str(path), format="onnx", verbose=False)
    written = onnx.load(str(path))
    names = [entry.name for entry in (*written.graph.input, *written.graph.output)]
    renamed = dict(zip(names, ("image", "hole", "filled"), strict=True))
    for node in written.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    for entry in (*written.graph.input, *written.graph.output):
        entry.name = renamed[entry.name]
    onnx.save(written, str(path))


def main() -> None:
    """Read the command line, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("keras.onnx"))
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop-px", type=int, default=128)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 128, 256])
    chosen = parser.parse_args()
    keras.utils.set_random_seed(0)
    model = unet(tuple(chosen.widths))
    model.compile(keras.optimizers.Adam(1e-3), loss="mae")
    model.fit(dataset(chosen.folder, chosen.crop_px, chosen.batch), steps_per_epoch=chosen.steps, epochs=1)
    export(model, chosen.out)
    print(chosen.out)


if __name__ == "__main__":
    main()
