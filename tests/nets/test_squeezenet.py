import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import ModelError  # noqa: E402
from remend.nets.squeezenet import TAPS, SqueezeNet  # noqa: E402

FILE = "weights/squeezenet_v1.1_imagenet/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"


def test_feature_sizes_are_those_of_valid_convolutions():
    features = SqueezeNet()(torch.rand(1, 3, 128, 96))
    assert [tuple(f.shape[1:]) for f in features] == [
        (64, 63, 47),
        (128, 31, 23),
        (256, 15, 11),
        (384, 7, 5),
        (384, 7, 5),
        (512, 7, 5),
        (512, 7, 5),
    ]
    assert len(features) == len(TAPS)


def test_keras_weights_are_read_as_keras_means_them(shared_data):
    h5py = pytest.importorskip("h5py")
    net = SqueezeNet.load(shared_data / FILE)
    image = torch.rand(1, 3, 33, 35)
    got = net(image)[0][0].numpy()
    with h5py.File(shared_data / FILE) as file:
        group = file["conv1"]
        kernel, bias = group["uniform1"][()], group["conv1_b"][()]
    # By hand: the same convolution, height × width × in × out, on BGR minus the means.
    x = image[0].flip(0).permute(1, 2, 0).numpy() * 255 - np.float32([103.939, 116.779, 123.68])
    y, z = 5, 7
    window = x[2 * y : 2 * y + 3, 2 * z : 2 * z + 3]
    wanted = np.maximum(np.einsum("hwi,hwio->o", window, kernel) + bias, 0)
    assert np.allclose(got[:, y, z], wanted, rtol=1e-3, atol=1e-2)
    assert not any(p.requires_grad for p in net.parameters())


def test_another_file_is_refused_with_one_line(tmp_path):
    pytest.importorskip("h5py")
    (tmp_path / "no.h5").write_bytes(b"not HDF5")
    for path in (tmp_path / "no.h5", tmp_path / "missing.h5"):
        with pytest.raises(ModelError, match="does not hold SqueezeNet"):
            SqueezeNet.load(path)
