"""PD against a reference in NumPy that shares no code with it, and against published figures."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
h5py = pytest.importorskip("h5py")

from remend.errors import EvaluationError, UsageError  # noqa: E402
from remend.evaluation.learned import judges  # noqa: E402
from remend.evaluation.learned.perceptual import PerceptualDistance, SqueezeNetFeatures  # noqa: E402
from remend.nets.squeezenet import SqueezeNet  # noqa: E402

SQUEEZES = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}
EXPANDS = {2: 64, 3: 64, 4: 128, 5: 128, 6: 192, 7: 192, 8: 256, 9: 256}


@pytest.fixture(scope="module")
def arrays() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Random kernels (height, width, in, out) and biases of every convolution."""
    rng = np.random.default_rng(0)

    def layer(side: int, inside: int, outside: int):
        scale = np.sqrt(2 / (side * side * inside))
        return (
            rng.normal(0, scale, (side, side, inside, outside)).astype(np.float32),
            rng.normal(0, 0.1, outside).astype(np.float32),
        )

    made, channels = {"conv1": layer(3, 3, 64)}, 64
    for number, squeezed in SQUEEZES.items():
        made[f"fire{number}/squeeze1x1"] = layer(1, channels, squeezed)
        made[f"fire{number}/expand1x1"] = layer(1, squeezed, EXPANDS[number])
        made[f"fire{number}/expand3x3"] = layer(3, squeezed, EXPANDS[number])
        channels = 2 * EXPANDS[number]
    return made


@pytest.fixture(scope="module")
def weights(tmp_path_factory, arrays):
    """The random net as a Keras file."""
    path = tmp_path_factory.mktemp("weights") / "squeezenet.h5"
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in arrays.items():
            file[f"{name}/kernel"], file[f"{name}/bias"] = kernel, bias
    return path


def conv(x, kernel, bias, *, stride=1, pad=0):
    """(h, w, in) to (h', w', out) after ReLU, by shifted sums."""
    x = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    side = kernel.shape[0]
    height, width = (x.shape[0] - side) // stride + 1, (x.shape[1] - side) // stride + 1
    y = np.zeros((height, width, kernel.shape[3])) + bias
    for i in range(side):
        for j in range(side):
            y += (
                x[i : i + stride * height : stride, j : j + stride * width : stride][:height, :width]
                @ kernel[i, j]
            )
    return np.maximum(y, 0)


def pool(x):
    height, width = (x.shape[0] - 3) // 2 + 1, (x.shape[1] - 3) // 2 + 1
    parts = [
        x[i : i + 2 * height : 2, j : j + 2 * width : 2][:height, :width] for i in range(3) for j in range(3)
    ]
    return np.max(parts, axis=0)


def maps_of(image, arrays):
    x = image[:, :, ::-1].astype(np.float64) - [103.939, 116.779, 123.68]
    x = conv(x, *arrays["conv1"], stride=2)
    maps = [x]
    for number in SQUEEZES:
        if number in (2, 4, 6):
            x = pool(x)
        s = conv(x, *arrays[f"fire{number}/squeeze1x1"])
        x = np.concatenate(
            [conv(s, *arrays[f"fire{number}/expand1x1"]), conv(s, *arrays[f"fire{number}/expand3x3"], pad=1)],
            axis=2,
        )
        if number not in (2, 4):
            maps.append(x)
    return maps


def area(hole, size):
    """Area average by the definition: the share of each cell that is hole."""

    def overlap(cells, pixels):
        edges = np.arange(cells + 1) * pixels / cells
        at = np.arange(pixels)
        return (
            np.clip(np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at), 0, None)
            * cells
            / pixels
        )

    return overlap(size[0], hole.shape[0]) @ hole @ overlap(size[1], hole.shape[1]).T


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(1)
    truth = cv2.GaussianBlur(rng.integers(0, 256, (52, 47, 3), np.uint8), (0, 0), 2)
    hole = np.zeros((52, 47), bool)
    hole[10:31, 17:40] = True
    output = truth.copy()
    output[hole] = rng.integers(0, 256, (hole.sum(), 3))
    return output, truth, hole


def test_pd_is_the_definition(weights, arrays, pictures):
    output, truth, hole = pictures
    wanted = []
    for a, b in zip(maps_of(output, arrays), maps_of(truth, arrays), strict=True):
        a, b = (m / np.linalg.norm(m, axis=2, keepdims=True) for m in (a, b))
        there = area(hole.astype(float), a.shape[:2])
        wanted.append((np.square(a - b).sum(axis=2) * there).sum() / there.sum())
    assert len(wanted) == 7
    found = PerceptualDistance(weights).measure(output, truth, hole)
    assert found["pd"] == pytest.approx(np.mean(wanted), rel=1e-4)


def test_equal_pictures_too_small_ones_and_empty_holes(weights, pictures):
    output, truth, hole = pictures
    judge = PerceptualDistance(weights)
    assert judge.measure(truth.copy(), truth, hole)["pd"] == 0
    assert np.isnan(judge.measure(output[:31], truth[:31], hole[:31])["pd"])
    assert np.isnan(judge.measure(output, truth, np.zeros_like(hole))["pd"])
    with pytest.raises(EvaluationError, match="equal"):
        judge.measure(output[:40], truth, hole)


def test_the_kept_truth_is_never_anothers(weights, pictures):
    output, truth, hole = pictures
    judge = PerceptualDistance(weights)
    first = judge.measure(output, truth, hole)
    other = judge.measure(output, np.ascontiguousarray(truth[::-1]), hole)
    assert first != other
    assert judge.measure(output, truth, hole) == first


def test_the_weights_are_in_the_rules(weights):
    import hashlib

    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    metrics, nets = judges(features=[weights])
    assert metrics[0].rules["pd"].endswith(digest)
    assert nets[0].rules["features_squeezenet_fire9"].endswith(digest)
    with pytest.raises(UsageError, match="same name"):
        judges(features=[weights, weights])
    with pytest.raises(UsageError, match="features come from"):
        judges(features=[weights.with_suffix(".pth")])


def test_vectors_are_means_of_unit_vectors(weights, arrays, pictures):
    _, truth, _ = pictures
    last = maps_of(truth, arrays)[-1]
    wanted = (last / np.linalg.norm(last, axis=2, keepdims=True)).mean((0, 1)) * np.sqrt(512)
    found = SqueezeNetFeatures(weights).features(truth)
    assert found.shape == (512,)
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
    with pytest.raises(EvaluationError, match="at least 32 px"):
        SqueezeNetFeatures(weights).features(truth[:20])


def test_published_figures_of_a_peer_are_met(shared_data):
    """MI-GAN's published outputs on nine faces: PD .55 over the set."""
    from remend.evaluation.pairs import find_pairs, read_pair, read_rgb
    from remend.metrics import compose

    judge = PerceptualDistance(next((shared_data / "weights").glob("squeezenet*/*.h5")))
    values = []
    for pair in find_pairs(shared_data / "dev" / "ffhq256").pairs:
        truth, hole = read_pair(pair)
        output = read_rgb(pair.image.with_name(f"{pair.image.stem}_peer-migan.webp"))
        values.append(judge.measure(compose(output, truth, hole), truth, hole)["pd"])
    assert np.mean(values) == pytest.approx(0.55, abs=0.005)


def test_it_is_the_net_that_training_looks_through(weights, pictures):
    _, truth, _ = pictures
    batch = torch.from_numpy(truth).permute(2, 0, 1)[None].float() / 255
    ours = PerceptualDistance(weights)._maps(truth)
    theirs = SqueezeNet.load(weights)(batch)
    for mine, raw in zip(ours, theirs, strict=True):
        wanted = torch.nn.functional.normalize(raw, dim=1)[0]
        torch.testing.assert_close(torch.from_numpy(mine), wanted, rtol=1e-4, atol=1e-5)
