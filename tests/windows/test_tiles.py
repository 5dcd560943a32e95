import numpy as np

from remend.windows.tiles import CONTEXT_PX, cover


def test_tiles_hold_every_pixel_of_the_hole_with_context():
    rng = np.random.default_rng(0)
    hole = np.zeros((700, 500), bool)
    for _ in range(20):
        y, x = rng.integers(690), rng.integers(490)
        hole[y : y + 10, x : x + 10] = True
    covered = np.zeros_like(hole)
    for tile in cover(hole, 256):
        assert max(tile.height, tile.width) <= 256
        inner = tile.grown(-CONTEXT_PX, (10**6, 10**6))
        top = 0 if tile.top == 0 else inner.top
        left = 0 if tile.left == 0 else inner.left
        bottom = tile.bottom if tile.bottom == 700 else inner.bottom
        right = tile.right if tile.right == 500 else inner.right
        covered[top:bottom, left:right] = True
    assert covered[hole].all()
