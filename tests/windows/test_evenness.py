import numpy as np

from remend.windows.evenness import ONE_TEXTURE, unevenness


def squares(side, count, seed=0):
    """A field of squares of random colours."""
    shades = np.random.default_rng(seed).random((count, count, 3)).astype(np.float32)
    return np.kron(shades, np.ones((side, side, 1), np.float32))


def test_one_texture_is_even_and_two_are_not():
    texture = squares(5, 60)
    usable = np.ones(texture.shape[:2], bool)
    assert unevenness(texture, usable) < 0.9 * ONE_TEXTURE
    darker = texture.copy()
    darker[:, 150:] *= np.float32(0.5)
    assert unevenness(darker, usable) > ONE_TEXTURE
    calmer = texture.copy()
    calmer[:, 150:] = 0.5 + 0.1 * (calmer[:, 150:] - 0.5)
    assert unevenness(calmer, usable) > ONE_TEXTURE


def test_what_may_not_be_looked_at_makes_nothing_uneven():
    texture = squares(5, 60)
    usable = np.ones(texture.shape[:2], bool)
    usable[100:180, 100:180] = False
    blank = texture.copy()
    blank[~usable] = np.nan
    assert unevenness(blank, usable) < 0.9 * ONE_TEXTURE
    assert unevenness(np.zeros((40, 40, 3), np.float32), np.ones((40, 40), bool)) == float("inf")
    assert unevenness(texture, ~np.ones_like(usable)) == float("inf")
