import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

from remend.errors import ModelError, UsageError  # noqa: E402
from remend.nets.encoders import SqueezeEncoder, build_encoder  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.nets.squeezenet import SqueezeNet  # noqa: E402

FILE = "weights/squeezenet_v1.1_imagenet/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"


def timm():
    from remend.nets.torchvision_schema import mend_torchvision

    mend_torchvision()
    return pytest.importorskip("timm", reason="timm is not installed")


def squeeze():
    torch.manual_seed(0)
    return build("transfer_unet", {"encoder": "squeezenet", "widths": (8, 8, 8)})


def test_without_a_network_a_download_is_refused_at_once(monkeypatch):
    timm()
    hub = pytest.importorskip("huggingface_hub", reason="timm's way to download is not installed")
    from remend.nets import encoders

    monkeypatch.setattr(encoders, "_reachable", lambda host, port: False)
    monkeypatch.setattr(encoders, "getproxies", dict)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/nowhere")
    asked = []
    monkeypatch.setattr("time.sleep", asked.append)  # the client's pauses between its tries
    with pytest.raises(ModelError, match=r"resnet18 cannot be had from pretrained .*: give the file"):
        encoders.TimmEncoder("resnet18").load_weights("pretrained")
    assert asked == []
    assert not hub.constants.HF_HUB_OFFLINE, "as it was"


def test_the_encoder_sees_what_squeezenet_sees(shared_data):
    pytest.importorskip("h5py")
    encoder = SqueezeEncoder()
    encoder.load_weights(str(shared_data / FILE))
    backbone = SqueezeNet.load(shared_data / FILE)
    image = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        features = encoder(encoder.normalise(image))
        assert [tuple(f.shape[1:]) for f in features] == [
            (64, 64, 64),
            (128, 32, 32),
            (256, 16, 16),
            (512, 8, 8),
        ]
        # The stem is padded by one pixel, so cell (1, 1) is the backbone's (0, 0) of a picture cut by one.
        wanted = backbone(image[:, :, 1:, 1:])[0]
        assert torch.allclose(58 * features[0][:, :, 1:, 1:], wanted, rtol=1e-3, atol=1e-2)
        # A layer further down, away from the frame: biases and all are brought to the same range.
        scaled = SqueezeNet()
        scaled.load_state_dict(backbone.state_dict())
        for layer in (scaled, encoder):
            layer.conv1.padding = (1, 1)
        wanted = scaled.features(scaled_input(image, scaled), padding=1)
        assert torch.allclose(58 * features[3], wanted[6], rtol=1e-2, atol=1e-2)


def scaled_input(image, net):
    return image.flip(1) * 255 - net.means


def test_features_of_any_range_reach_the_decoder_at_unit_size(shared_data):
    pytest.importorskip("h5py")
    net = squeeze()
    before = net.body.gains.clone()
    net.body.load_encoder(str(shared_data / FILE))
    assert not torch.equal(net.body.gains, before)
    assert float(net.body.gains.max() / net.body.gains.min()) > 3  # those of fire9 are faint


def test_the_hole_has_a_stem_of_its_own_that_stays_when_the_encoder_is_frozen():
    body = squeeze().body
    own = {id(p) for p in body.hole_stem.parameters()}
    assert own
    assert not own & {id(p) for p in body.encoder.parameters()}
    assert not own & {id(p) for group in body.layer_groups() for p in group}
    assert not body.hole_stem.weight.any()  # what was learned elsewhere is undisturbed at first
    planes = torch.randn(1, 5, 32, 32)
    plain = body.encoder(planes)[0]
    with torch.no_grad():
        body.hole_stem.weight.normal_()
    assert not torch.equal(body.encoder(planes)[0], plain)


def test_a_copy_has_a_stem_of_its_own():
    import copy

    net = squeeze()
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.body.hole_stem.weight.normal_()
    planes = torch.randn(1, 5, 32, 32)
    assert not torch.equal(net.body.encoder(planes)[0], twin.body.encoder(planes)[0])


def test_layer_groups_hold_the_encoder_once_stem_first():
    body = squeeze().body
    grouped = [id(p) for group in body.layer_groups() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in body.encoder.parameters())
    assert body.layer_groups()[0][0].shape == (64, 3, 3, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "multiple"),
    [("resnet18", 32), ("vgg11", 32), ("mobilenetv3_small_050", 32), ("convnext_atto", 32)],
)
def test_backbones_of_timm(name, multiple):
    timm()
    torch.manual_seed(0)
    net = build("transfer_unet", {"encoder": name, "widths": (8, 8, 8, 8, 8)}).train()
    assert net.size_multiple == multiple
    with torch.no_grad():
        net.body.head.weight.normal_(std=0.02)
    image, hole = torch.rand(2, 3, 64, 96), torch.zeros(2, 1, 64, 96)
    hole[:, :, 16:40, 24:72] = 1
    filled, raw = net(image, hole)
    assert torch.equal(filled[(hole == 0).expand_as(image)], image[(hole == 0).expand_as(image)])
    raw.square().mean().backward()
    assert net.body.hole_stem.weight.grad.abs().max() > 0
    grouped = [id(p) for group in net.body.layer_groups() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in net.body.encoder.parameters())


def test_batch_norm_keeps_its_statistics_unless_told_otherwise():
    timm()
    image, hole = torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    for follow in (False, True):
        net = build("transfer_unet", {"encoder": "resnet18", "widths": (8,) * 4, "batch_statistics": follow})
        before = net.body.encoder.net.bn1.running_mean.clone()
        net.train()(image, hole)
        assert torch.equal(net.body.encoder.net.bn1.running_mean, before) != follow


def test_weights_of_timm_come_from_safetensors_alone(tmp_path):
    backbone = timm().create_model("resnet18", pretrained=False)
    tensors = {name: tensor.contiguous() for name, tensor in backbone.state_dict().items()}
    safetensors.save_file(tensors, tmp_path / "resnet18.safetensors")
    body = build("transfer_unet", {"widths": (8,) * 4}).body
    body.load_encoder(str(tmp_path / "resnet18.safetensors"))
    assert torch.equal(body.encoder.net.layer4[1].conv2.weight, backbone.layer4[1].conv2.weight)
    assert torch.equal(body.encoder.net.conv1.own.weight, backbone.conv1.weight)
    with pytest.raises(UsageError, match=r"come as .safetensors"):
        body.load_encoder("resnet18.pth")
    with pytest.raises(ModelError, match="cannot be had"):
        body.load_encoder(str(tmp_path / "missing.safetensors"))
    del tensors["layer4.1.conv2.weight"]
    safetensors.save_file(tensors, tmp_path / "less.safetensors")
    with pytest.raises(ModelError, match=r"lacks 1 tensors of resnet18, first layer4.1.conv2.weight"):
        body.load_encoder(str(tmp_path / "less.safetensors"))


def test_encoders_and_widths_that_cannot_be_meant():
    with pytest.raises(UsageError, match="takes its weights from a file"):
        squeeze().body.load_encoder("pretrained")
    with pytest.raises(ModelError, match="does not hold SqueezeNet"):
        squeeze().body.load_encoder("nowhere.h5")
    with pytest.raises(UsageError, match="has 4 scales: give its decoder 3 widths, got 2"):
        build("transfer_unet", {"encoder": "squeezenet", "widths": (8, 8)})
    timm()
    with pytest.raises(UsageError, match="timm has no backbone 'resnet3000'"):
        build_encoder("resnet3000")
    with pytest.raises(UsageError, match=r"gives no features by scale|falling scale"):
        build_encoder("vit_tiny_patch16_224")


def test_without_timm_the_choice_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(UsageError, match="pip install timm, or take encoder = squeezenet"):
        build("transfer_unet")
