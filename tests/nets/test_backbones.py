import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import ModelError, UsageError  # noqa: E402
from remend.nets.backbones import load_backbone  # noqa: E402
from remend.nets.squeezenet import SqueezeNet  # noqa: E402
from remend.nets.torchvision_schema import mend_torchvision  # noqa: E402

FILE = "weights/squeezenet_v1.1_imagenet/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"


@pytest.fixture
def timm():
    mend_torchvision()
    return pytest.importorskip("timm", reason="timm is not installed")


def test_squeezenet_comes_from_its_keras_file(shared_data):
    pytest.importorskip("h5py")
    assert isinstance(load_backbone("squeezenet", str(shared_data / FILE)), SqueezeNet)


def test_a_backbone_of_timm_answers_what_timm_answers(timm, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    torch.manual_seed(0)
    model = timm.create_model("resnet18")
    safetensors.save_file(model.state_dict(), tmp_path / "resnet18.safetensors")
    backbone = load_backbone("resnet18", str(tmp_path / "resnet18.safetensors"))
    image = torch.rand(1, 3, 64, 80)
    mean, std = (torch.tensor(model.pretrained_cfg[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        wanted = model.eval().forward_intermediates((image - mean) / std, intermediates_only=True)
    got = backbone(image)
    assert [tuple(f.shape[1:]) for f in got[:2]] == [(64, 32, 40), (64, 16, 20)]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(got, wanted, strict=True))
    # Frozen, but a picture's gradient passes.
    assert not any(p.requires_grad for p in backbone.parameters())
    assert not backbone.training
    image.requires_grad_()
    backbone(image)[-1].sum().backward()
    assert float(image.grad.abs().sum()) > 0


def test_another_file_or_name_is_one_clear_line(timm, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="the weights of resnet18 cannot be had"):
        load_backbone("resnet18", str(tmp_path / "x.safetensors"))
    with pytest.raises(UsageError, match=r"come as \.safetensors, got vgg\.pth"):
        load_backbone("resnet18", str(tmp_path / "vgg.pth"))
    with pytest.raises(UsageError, match="no backbone 'resnet19'"):
        load_backbone("resnet19", str(tmp_path / "x.safetensors"))


def test_a_dilated_backbone_keeps_its_scale_with_the_same_weights(timm, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    torch.manual_seed(0)
    model = timm.create_model("resnet18")
    safetensors.save_file(model.state_dict(), tmp_path / "resnet18.safetensors")
    plain, dilated = (
        load_backbone(name, str(tmp_path / "resnet18.safetensors"))
        for name in ("resnet18", "dilated_resnet18")
    )
    image = torch.rand(1, 3, 64, 64)
    assert [f.shape[2] for f in dilated(image)] == [32, 16, 8, 8, 8]
    # What is not dilated yet is the same, and so are all weights.
    assert all(torch.equal(a, b) for a, b in zip(plain(image)[:3], dilated(image)[:3], strict=True))
    assert plain.state_dict().keys() == dilated.state_dict().keys()
    with pytest.raises(UsageError, match=r"timm's vgg11 gives no features by scale"):
        load_backbone("dilated_vgg11", str(tmp_path / "resnet18.safetensors"))
