import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.contextual_attention import ContextualAttention  # noqa: E402


def by_hand(x, hole, *, sharpness, propagate):
    """The same for one picture in loops over positions; x (C, h, w), hole (h, w)."""
    channels, height, width = x.shape
    rows, columns = height // 2, width // 2
    places = [(i, j) for i in range(rows) for j in range(columns)]

    def within(i, j, h, w):
        return 0 <= i < h and 0 <= j < w

    def patch(i, j):
        values = [
            x[:, 2 * (i + a), 2 * (j + b)] if within(i + a, j + b, rows, columns) else np.zeros(channels)
            for a in (-1, 0, 1)
            for b in (-1, 0, 1)
        ]
        flat = np.concatenate(values)
        return flat / max(np.linalg.norm(flat), 1e-4)

    def known(i, j):
        return not any(
            hole[2 * (i + a) : 2 * (i + a) + 2, 2 * (j + b) : 2 * (j + b) + 2].any()
            for a in (-1, 0, 1)
            for b in (-1, 0, 1)
            if within(i + a, j + b, rows, columns)
        )

    cosine = {(p, q): float(patch(*p) @ patch(*q)) for p in places for q in places}
    if propagate:
        for step in ((0, 1), (1, 0)):
            before = cosine
            cosine = {
                (p, q): sum(
                    before.get(
                        ((p[0] + d * step[0], p[1] + d * step[1]), (q[0] + d * step[0], q[1] + d * step[1])),
                        0.0,
                    )
                    for d in (-1, 0, 1)
                )
                for p, q in before
            }
    out, times = np.zeros_like(x), np.zeros((height, width))
    sources = [q for q in places if known(*q)]
    for p in places:
        shares = [math.exp(sharpness * (cosine[p, q] - max(cosine[p, s] for s in sources))) for q in sources]
        for a in range(-1, 3):
            for b in range(-1, 3):
                at = (2 * p[0] + a, 2 * p[1] + b)
                if not within(*at, height, width):
                    continue
                times[at] += 1
                for q, share in zip(sources, shares, strict=True):
                    of = (2 * q[0] + a, 2 * q[1] + b)
                    if within(*of, height, width):
                        out[:, at[0], at[1]] += share / sum(shares) * x[:, of[0], of[1]]
    return out / times


@pytest.mark.parametrize("propagate", [False, True])
@pytest.mark.parametrize("size", [(8, 12), (10, 6)])
def test_each_position_is_what_loops_over_patches_make_it(propagate, size):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, *size))
    hole = np.zeros((2, 1, *size))
    hole[0, 0, 2:5, 1:4] = 1
    hole[1, 0, :3, 4:] = 1
    layer = ContextualAttention(sharpness=2.0, propagate=propagate)
    got = layer(torch.from_numpy(x), torch.from_numpy(hole)).numpy()
    for index in range(2):
        wanted = by_hand(x[index], hole[index, 0], sharpness=2.0, propagate=propagate)
        assert np.allclose(got[index], wanted, atol=1e-5)


def test_a_texture_goes_on_through_the_hole():
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    stripes = torch.stack([torch.sin(math.pi * (rows + columns) / 4), torch.cos(math.pi * columns / 4)])[None]
    hole = torch.zeros(1, 1, 48, 48)
    hole[..., 20:24, 20:24] = 1
    damaged = stripes * (1 - hole)
    # What lies around still tells the patches at the hole's rim apart.
    filled = ContextualAttention()(damaged, hole)
    assert float(((filled - stripes) * hole).abs().max()) < 0.05


def test_what_is_unknown_is_never_copied():
    torch.manual_seed(0)
    x, hole = torch.randn(1, 4, 16, 16), torch.zeros(1, 1, 16, 16)
    hole[..., 4:11, 3:9] = 1
    layer = ContextualAttention(sharpness=0.0, propagate=False)
    # Without sharpness all known patches weigh alike, whatever the unknown positions hold.
    assert torch.allclose(layer(x, hole), layer(torch.where(hole > 0, 1e6, x), hole), atol=1e-4)


def test_where_nothing_is_known_there_is_nothing_and_it_is_finite():
    x = torch.randn(2, 4, 8, 8, requires_grad=True)
    hole = torch.ones(2, 1, 8, 8)
    hole[1, :, :, 6:] = 0
    filled = ContextualAttention()(x, hole)
    filled.square().sum().backward()
    assert not filled[0].any()
    assert torch.isfinite(x.grad).all()
