from dataclasses import replace

import numpy as np
import pytest

from remend.errors import UsageError
from remend.fill.filler import Capabilities
from remend.picture import Box, Picture
from remend.plan.holes import activity_around, border_share, clusters
from remend.plan.plan import Plan, make_plan
from remend.plan.policy import POLICIES, Looks, Policy, Rung, policy_for
from remend.windows.tiles import TILE_PX

THIN = Capabilities(context_px=8, local=True)
WIDE = Capabilities(context_px=32, context_radii=2)
TWO = Policy((Rung("thin", radius_px=6), Rung("wide")))


class Can:
    """As much of a filler as a plan looks at."""

    def __init__(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities


FILLERS = {"thin": Can(THIN), "wide": Can(WIDE)}


def plan(mask: np.ndarray, policy: Policy = TWO, image: np.ndarray | None = None) -> Plan:
    samples = np.zeros((*mask.shape, 3), np.uint8) if image is None else image
    return make_plan(Picture(samples, "RGB"), mask, policy=policy, fillers=FILLERS)


def covered(made: Plan, shape: tuple[int, int]) -> np.ndarray:
    """How often each pixel is filled."""
    count = np.zeros(shape, int)
    for step in made.steps:
        for box, hole in step.pieces():
            count[box.slices] += hole
    return count


def test_three_hundred_specks_are_few_calls():
    rng = np.random.default_rng(0)
    mask = np.zeros((600, 800), bool)
    mask[rng.integers(0, 600, 300), rng.integers(0, 800, 300)] = True
    made = plan(mask)
    assert len(made.steps) < 10
    np.testing.assert_array_equal(covered(made, mask.shape), mask.astype(int))


def test_a_scratch_across_a_large_frame_is_tiled():
    mask = np.zeros((3000, 2000), bool)
    for y in range(3000):
        mask[y, y * 1999 // 2999] = True
    made = plan(mask)
    tiles = sum(len(step.tiles.corners) for step in made.steps)
    assert tiles * TILE_PX**2 < 0.05 * mask.size
    np.testing.assert_array_equal(covered(made, mask.shape), mask.astype(int))


def test_every_pixel_is_planned_exactly_once_on_a_wild_mask():
    rng = np.random.default_rng(5)
    mask = rng.random((700, 900)) < 0.004
    for _ in range(12):
        y, x, r = rng.integers(0, 700), rng.integers(0, 900), rng.integers(3, 60)
        yy, xx = np.ogrid[:700, :900]
        mask |= (yy - y) ** 2 + (xx - x) ** 2 < r * r
    np.testing.assert_array_equal(covered(plan(mask), mask.shape), mask.astype(int))


def test_thin_and_wide_holes_go_to_their_fillers_thin_first():
    mask = np.zeros((300, 300), bool)
    mask[20:220, 100:200] = True
    mask[250, 20:280] = True
    made = plan(mask)
    assert [step.filler for step in made.steps] == ["thin", "wide"]
    assert made.steps[1].radius_px == pytest.approx(50, abs=1)
    assert "radius" in made.steps[0].reason


def test_context_grows_with_the_radius_and_stops_at_the_border():
    mask = np.zeros((400, 400), bool)
    mask[150:250, 150:250] = True
    step = plan(mask).steps[0]
    assert step.window == Box(50, 50, 350, 350)
    mask = np.zeros((400, 400), bool)
    mask[0:100, 0:100] = True
    assert plan(mask).steps[0].window.top == 0


def test_windows_are_no_longer_than_asked():
    mask = np.zeros((300, 400), bool)
    mask[100:200, 100:300] = True
    picture = Picture(np.zeros((300, 400, 3), np.uint8), "RGB")
    (whole,) = plan(mask).steps
    (bounded,) = make_plan(picture, mask, policy=TWO, fillers=FILLERS, window_px=128).steps
    assert (whole.scale, bounded.window) == (1, whole.window)
    assert bounded.scale == 128 / max(whole.window.height, whole.window.width)


def test_windows_larger_than_the_filler_was_made_for_are_scaled():
    mask = np.zeros((400, 400), bool)
    mask[100:300, 100:300] = True
    small = Capabilities(context_px=50, window_px=150)
    made = make_plan(
        Picture(np.zeros((400, 400, 3), np.uint8), "RGB"),
        mask,
        policy=Policy((Rung("net"),)),
        fillers={"net": Can(small)},
    )
    assert made.steps[0].scale == pytest.approx(0.5)


def test_texture_decides_where_the_policy_asks_for_it():
    mask = np.zeros((200, 400), bool)
    mask[80:120, 80:120] = mask[80:120, 280:320] = True
    image = np.full((200, 400, 3), 128, np.uint8)
    image[:, 200:] = np.random.default_rng(1).integers(0, 255, (200, 200, 1))
    policy = Policy((Rung("thin", activity=0.01), Rung("wide")))
    made = plan(mask, policy, image)
    calm, busy = made.steps
    assert (calm.filler, busy.filler) == ("thin", "wide")
    assert calm.window.left < 80 < calm.window.right < 280 <= busy.window.right
    assert "texture" in calm.reason


def test_activity_is_zero_on_flat_ground_and_ignores_the_damage_itself():
    grey = np.full((60, 60), 0.5, np.float32)
    hole = np.zeros((60, 60), bool)
    hole[25:35, 25:35] = True
    grey[hole] = 1.0
    assert activity_around(grey, hole, hole) == pytest.approx(0, abs=1e-4)


def test_clusters_of_an_empty_mask():
    assert list(clusters(np.zeros((50, 50), bool))) == []
    assert plan(np.zeros((50, 50), bool)) == Plan(())


def test_the_same_mask_gives_the_same_plan():
    mask = np.random.default_rng(2).random((300, 300)) < 0.01
    first, second = plan(mask), plan(mask)
    assert [(s.window, s.filler) for s in first.steps] == [(s.window, s.filler) for s in second.steps]


def test_a_hole_that_takes_most_of_the_picture_is_not_made_up():
    mask = np.zeros((200, 200), bool)
    mask[50:150, 50:150] = True
    policy = Policy((Rung("thin", beyond_share=0.2), Rung("wide")))
    step = plan(mask, policy).steps[0]
    assert step.filler == "thin"
    assert "25 %" in step.reason
    mask[50:150, 90:150] = False
    assert plan(mask, policy).steps[0].filler == "wide"


def test_policies_end_with_a_rung_without_bounds():
    for policy in POLICIES.values():
        last = policy.rungs[-1]
        assert last.radius_px is None
        assert not last.looks


def test_an_unknown_quality_is_named_with_the_choices():
    with pytest.raises(UsageError, match="fast, balanced, best"):
        policy_for("auto", "great")
    assert policy_for("telea", "fast").rungs == (Rung("telea"),)


def test_bounds_take_in_what_they_name_and_shares_must_be_exceeded():
    policy = Policy(
        (
            Rung("thin", radius_px=6),
            Rung("flat", activity=0.01),
            Rung("even", unevenness=0.5),
            Rung("outside", beyond_border=0.25),
            Rung("large", beyond_share=0.2),
            Rung("wide"),
        )
    )
    asked = [
        (Looks(radius_px=6), "thin"),
        (Looks(radius_px=6.1, activity=0.01), "flat"),
        (Looks(radius_px=9, activity=0.02, unevenness=0.5), "even"),
        (Looks(radius_px=9, activity=0.02, unevenness=0.6, border=0.26), "outside"),
        (Looks(radius_px=9, activity=0.02, unevenness=0.6, border=0.25, share=0.21), "large"),
        (Looks(radius_px=9, activity=0.02, unevenness=0.6, share=0.2), "wide"),
        (Looks(radius_px=9, activity=0.02), "wide"),
    ]
    assert [policy.choose(looks).filler for looks, _ in asked] == [filler for _, filler in asked]
    assert policy.looks_above_px == 6
    assert "one texture" in policy.choose(asked[2][0]).reason
    assert "26 %" in policy.choose(asked[3][0]).reason


@pytest.mark.parametrize(("quality", "net"), [("balanced", "neural"), ("best", "neural-views")])
def test_wide_holes_in_busy_surroundings_are_no_faces(quality, net):
    copies = {"neural": "neural-exemplar", "neural-views": "neural-exemplar-views"}[net]
    gravel = Looks(radius_px=72, share=0.25, activity=0.066, unevenness=2.0)
    face = replace(gravel, activity=0.02)
    thumbnail = replace(gravel, radius_px=45)
    chosen = [POLICIES[quality].choose(looks).filler for looks in (gravel, face, thumbnail)]
    assert chosen == [copies, net, net]


def test_a_rung_is_left_out_only_beyond_what_it_may_take():
    policy = Policy((Rung("thin", radius_px=6, most_px=100), Rung("wide")))
    assert policy.affordable(100) == policy
    assert policy.affordable(101).rungs == (Rung("wide"),)


def test_rungs_are_filled_in_their_order_tiles_or_not():
    mask = np.zeros((300, 300), bool)
    mask[20:30, 100:200] = mask[250, 20:280] = True
    steps = plan(mask, Policy((Rung("wide", radius_px=2), Rung("thin")))).steps
    assert [(step.filler, step.tiles is None) for step in steps] == [("wide", True), ("thin", False)]


def test_the_soft_edge_of_damage_is_no_texture():
    grey = np.full((60, 60), 0.5, np.float32)
    hole = np.zeros((60, 60), bool)
    hole[25:35, 25:35] = True
    grey[23:37, 23:37] = np.random.default_rng(0).random((14, 14))
    assert activity_around(grey, hole, hole) < 0.02


@pytest.mark.parametrize("corner", [(64, 64), (65, 65)])
def test_a_hole_that_fills_its_cells_has_a_radius(corner):
    mask = np.zeros((256, 256), bool)
    mask[corner[0] : corner[0] + 64, corner[1] : corner[1] + 64] = True
    (step,) = plan(mask).steps
    assert step.radius_px == pytest.approx(32, abs=0.5)


@pytest.mark.parametrize("shape", [(64, 128), (128, 64)])
def test_its_radius_is_that_of_the_shorter_side(shape):
    mask = np.zeros((256, 256), bool)
    mask[64 : 64 + shape[0], 64 : 64 + shape[1]] = True
    (step,) = plan(mask).steps
    assert step.radius_px == pytest.approx(32, abs=0.5)


def test_a_strip_along_a_side_is_as_deep_as_it_is_wide():
    mask = np.zeros((256, 256), bool)
    mask[:, 192:] = True
    (step,) = plan(mask).steps
    assert step.radius_px == pytest.approx(64, abs=1)


def test_where_all_is_masked_the_radius_is_the_picture():
    (step,) = plan(np.ones((64, 96), bool)).steps
    assert step.radius_px == 96


def squares(side, count, seed=0):
    """A field of squares of random colours."""
    shades = np.random.default_rng(seed).random((count, count, 3)).astype(np.float32)
    return np.kron(shades, np.ones((side, side, 1), np.float32))


def test_the_share_of_an_outline_along_the_border():
    hole = np.ones((40, 10), bool)
    outline = 2 * 40 + 2 * 10 - 4
    assert border_share(hole, Box(30, 30, 70, 40), (100, 100)) == 0
    assert border_share(hole, Box(30, 0, 70, 10), (100, 100)) == 40 / outline
    assert border_share(hole, Box(60, 90, 100, 100), (100, 100)) == 49 / outline


def test_one_texture_gets_whole_pieces_and_what_lies_beyond_the_border_nothing_drawn():
    class Any(dict):
        def __missing__(self, name):
            return Can(WIDE)

    hole = np.zeros((320, 320), bool)
    hole[120:200, 120:200] = True
    strip = np.zeros((320, 320), bool)
    strip[:, 240:] = True
    scene = np.zeros((320, 320, 3), np.float32)
    scene[:, :, 0] = np.linspace(0, 1, 320)
    scene = (0.6 * scene + 0.4 * squares(5, 64)) * np.where(np.arange(320) < 160, 1, 0.3)[:, None, None]
    for image, mask, filler in (
        (squares(5, 64), hole, "quilt"),
        (scene, hole, "neural"),
        (scene, strip, "smooth"),
        (squares(5, 64), strip, "quilt"),
    ):
        shown = (image * 255).astype(np.uint8)
        for quality in ("balanced", "best"):
            made = make_plan(Picture(shown, "RGB"), mask, policy=POLICIES[quality], fillers=Any())
            assert made.steps[0].filler.split("-")[0] == filler, made.steps[0].reason
