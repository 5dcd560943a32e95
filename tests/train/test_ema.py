import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.train.optim.ema import Ema  # noqa: E402


def test_half_of_the_average_is_new_after_a_half_life():
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(net.weight)
    ema = Ema(net, half_life=100)
    torch.nn.init.ones_(net.weight)
    for step in range(10):
        ema.update(net, batch=10, samples_seen=10_000 + 10 * step)
    assert float(ema.net.weight.detach()) == pytest.approx(0.5)


def test_the_start_is_soon_forgotten():
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(net.weight)
    ema = Ema(net, half_life=1_000_000)
    torch.nn.init.ones_(net.weight)
    for step in range(1, 101):
        ema.update(net, batch=10, samples_seen=10 * step)
    assert float(ema.net.weight.detach()) > 0.9


def test_vectors_of_a_spectral_norm_are_copied_not_averaged():
    net = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(4, 4))
    ema = Ema(net, half_life=1000)
    for step in range(3):
        net(torch.ones(1, 4))
        ema.update(net, batch=1, samples_seen=1000 + step)
    for own, other in zip(ema.net.buffers(), net.buffers(), strict=True):
        assert torch.equal(own, other)
