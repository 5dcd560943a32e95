import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.train.optim.muon import Muon, orthogonal, with_kernels_apart  # noqa: E402


@pytest.mark.parametrize("shape", [(24, 24), (16, 200), (200, 16)])
def test_singular_values_become_alike(shape):
    torch.manual_seed(0)
    # Over three orders of magnitude, as in a gradient.
    rows = torch.linalg.qr(torch.randn(shape[0], min(shape)))[0]
    columns = torch.linalg.qr(torch.randn(shape[1], min(shape)))[0]
    matrix = rows @ torch.diag(torch.logspace(-2, 0, min(shape))) @ columns.T
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.3
    assert values.max() < 1.3
    # Its directions stay: what it makes of the matrix is positive along each of them.
    along = torch.diagonal(rows.T @ orthogonal(matrix) @ columns)
    assert along.min() > 0.3


def test_no_gradient_at_all_is_no_nan():
    assert torch.equal(orthogonal(torch.zeros(16, 16)), torch.zeros(16, 16))


def test_what_it_leaves_to_adamw_moves_as_adamw_does():
    torch.manual_seed(0)
    ours, theirs = (torch.nn.Linear(4, 3) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    groups = [{"params": list(ours.parameters()), "weight_decay": 0.1}]
    one = Muon(with_kernels_apart(groups), lr=0.01, betas=(0.9, 0.99))
    other = torch.optim.AdamW(theirs.parameters(), lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)
    for _ in range(5):
        batch = torch.randn(6, 4)
        for net, optimizer in ((ours, one), (theirs, other)):
            optimizer.zero_grad()
            net(batch).square().sum().backward()
            optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_a_step_has_the_size_of_an_adamw_step_whatever_the_gradients_size():
    for scale in (1e-4, 1e4):
        kernel = torch.nn.Parameter(torch.zeros(32, 16, 3, 3))
        torch.manual_seed(0)
        kernel.grad = scale * torch.randn_like(kernel)
        Muon([{"params": [kernel]}], lr=0.1).step()
        size = kernel.detach().square().mean().sqrt() / 0.1
        assert 0.15 < size < 0.25
