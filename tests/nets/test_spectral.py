import copy

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch import nn  # noqa: E402
from torch.nn.utils import parametrizations  # noqa: E402

from remend.nets.precision import CastOnce  # noqa: E402
from remend.nets.spectral import norms_in_fp32, spectral_norm  # noqa: E402


def net(norm):
    torch.manual_seed(0)
    convs = [nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.ConvTranspose2d(8, 4, 4)]
    return nn.Sequential(*(norm(conv) for conv in convs)).to(memory_format=torch.channels_last)


def test_all_norms_at_once_learn_as_pytorchs_own_do_one_by_one():
    ours, theirs = net(spectral_norm), net(parametrizations.spectral_norm)
    theirs.load_state_dict(ours.state_dict())  # the names are the same
    steps = [torch.optim.SGD(n.parameters(), lr=0.5) for n in (ours, theirs)]
    for step in range(10):
        image = torch.randn(2, 8, 6, 6, generator=torch.Generator().manual_seed(step))
        for judge, optimizer in zip((ours, theirs), steps, strict=True):
            optimizer.zero_grad()
            if judge is ours:
                with norms_in_fp32(judge, image):
                    answer = judge(image)
            else:
                answer = judge(image)
            answer.square().mean().backward()
            optimizer.step()
    for name, value in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[name], value, atol=1e-5), name
    for judge in (ours, theirs):
        judge.eval()
    assert torch.allclose(ours(image), theirs(image), atol=1e-5)


def test_weights_cast_together_give_the_same_answers_and_gradients():
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3, bias=False))
    plain = plain.to(memory_format=torch.channels_last)
    other = copy.deepcopy(plain)
    image = torch.rand(2, 3, 12, 12)
    answers = []
    for called, learned in ((plain, plain), (CastOnce(other), other)):
        with torch.autocast("cpu", torch.bfloat16):
            answers.append(called(image))
        answers[-1].float().square().mean().backward()
        assert all(p.grad.dtype is torch.float32 for p in learned.parameters())
    assert answers[0].dtype is torch.bfloat16
    assert torch.equal(*answers)
    for a, b in zip(plain.parameters(), other.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)
        assert a.grad.stride() == b.grad.stride()
