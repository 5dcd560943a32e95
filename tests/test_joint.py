"""Where the stages meet: what a filler is asked, in which order, and what is made of its answer."""

from dataclasses import dataclass, field

import numpy as np
import pytest

import remend
from remend import filling
from remend.fill.biharmonic import smooth
from remend.finish import polish
from remend.options import Settings
from remend.picture import Picture
from remend.pipeline import repair_picture
from remend.plan import plan as planning
from remend.windows.tiles import TILE_PX

SIZE = (160, 240)
FILL = 0.75
GUARD_PX = 2  # of a tile's cell, mirrored: the reach of the plate's stencil


@dataclass
class Call:
    window: np.ndarray
    hole: np.ndarray
    usable: np.ndarray
    prior: np.ndarray | None
    guide: np.ndarray | None
    seed: int

    @property
    def pixels(self) -> int:
        return int(self.hole.sum())


@dataclass
class Recorder:
    """Notes what it is asked, and answers one colour."""

    capabilities: remend.Capabilities
    colour: tuple[float, float, float] = (FILL, FILL, FILL)
    sources: bool = False
    name: str = "recorder"
    calls: list[Call] = field(default_factory=list)

    def fill(self, window, hole, *, usable, prior=None, guide=None, seed=0):
        self.calls.append(Call(window.copy(), hole.copy(), usable.copy(), prior, guide, seed))
        source = None
        if self.sources:  # from the first pixel that may be read
            y, x = np.argwhere(usable)[0]
            source = np.where(hole[..., None], np.array([x, y], np.int32), np.int32(-1))
        return remend.Filled(np.broadcast_to(np.float32(self.colour), window.shape), source)


def recorder(**can) -> Recorder:
    can = {"context_px": 8} | can
    options = {name: can.pop(name) for name in ("colour", "sources") if name in can}
    return Recorder(remend.Capabilities(**can), **options)


def holes(*boxes: tuple[int, int, int, int], size: tuple[int, int] = SIZE) -> np.ndarray:
    mask = np.zeros(size, bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def flat(level: int = 100, size: tuple[int, int] = SIZE) -> Picture:
    return Picture(np.full((*size, 3), level, np.uint8), "RGB")


def noisy(size: tuple[int, int] = SIZE, sigma: float = 9.0) -> Picture:
    noise = np.random.default_rng(0).normal(128, sigma, (*size, 1)).repeat(3, axis=2)
    return Picture(np.clip(np.rint(noise), 0, 255).astype(np.uint8), "RGB")


def filled(filler: Recorder, mask: np.ndarray, picture: Picture | None = None, **settings) -> np.ndarray:
    picture = flat(size=mask.shape) if picture is None else picture
    settings = {"grain": 0.0} | settings
    return repair_picture(picture, mask, Settings(method=filler, **settings)).picture.samples


THIN = (100, 10, 103, 230)
NEAR = ((20, 20, 50, 50), (20, 56, 50, 86))  # two windows that overlap; one is cheaper than both
FAR = ((20, 20, 50, 50), (110, 190, 140, 220))


@pytest.fixture
def apart(monkeypatch):
    """Windows are not merged to save a call, as they are in pictures of this size."""
    monkeypatch.setattr(planning, "CALL_PX", 0)


# What a filler is asked


def test_every_step_has_a_seed_of_its_own_counted_from_the_jobs(apart):
    filler = recorder()
    restored = repair_picture(flat(), holes(*FAR, (110, 20, 140, 50)), Settings(method=filler, seed=7))
    seeds = [call.seed for call in filler.calls]
    assert seeds == [7 * 1_000_003 + n for n in range(len(restored.plan.steps))]
    assert len(seeds) == 3


def test_every_mosaic_has_a_seed_of_its_own(monkeypatch):
    monkeypatch.setattr(filling, "MOSAICS_AT_ONCE", 2)
    filler = recorder(local=True, mosaic_px=60)
    restored = repair_picture(flat(), holes(THIN, FAR[0]), Settings(method=filler, seed=2))
    assert len(restored.plan.steps) > 5
    # Mosaics of a group are filled side by side, so their calls come in any order.
    assert sorted(call.seed for call in filler.calls) == [
        2 * 1_000_003 + n for n in range(len(restored.plan.steps))
    ]
    assert filler.calls[-1].seed == 2 * 1_000_003 + len(restored.plan.steps) - 1


def test_thin_damage_comes_first_then_windows_from_the_top(apart):
    filler = recorder(local=True)
    heard = []

    def hear(number, count, step, answer) -> None:
        heard.append((number, count, step.tiles is not None))

    mask = holes(THIN, (110, 30, 150, 60), (10, 150, 50, 190))
    repair_picture(flat(), mask, Settings(method=filler), observer=hear)
    assert heard == [(1, 3, True), (2, 3, False), (3, 3, False)]
    assert [call.pixels for call in filler.calls] == [3 * 220, 40 * 40, 40 * 30]


def test_what_a_window_has_filled_the_next_one_may_read(apart):
    filler = recorder(context_px=40)
    filled(filler, holes((20, 20, 60, 60), (70, 90, 110, 130)))
    first, second = filler.calls
    # The second hole's corner in the first window, and the first hole's in the second.
    assert not first.usable[70:100, 90:100].any()
    assert second.usable[:30, :10].all()
    np.testing.assert_allclose(second.window[:30, :10], FILL, atol=1 / 255)


def test_what_mosaics_have_filled_windows_may_read():
    filler = recorder(context_px=30, local=True)
    filled(filler, holes((70, 10, 72, 200), (80, 80, 120, 120)))
    thin, wide = filler.calls
    assert thin.pixels == 2 * 190
    rows = slice(70 - 50, 72 - 50)
    assert wide.usable[rows].all()
    np.testing.assert_allclose(wide.window[rows], FILL, atol=1 / 255)


def test_mosaics_of_one_group_do_not_read_one_another():
    filler = recorder(local=True, mosaic_px=60)
    filled(filler, holes((100, 10, 103, 100)))
    assert len(filler.calls) > 2
    for call in filler.calls:  # the strip goes on beyond the tile, and is not filled there yet
        assert not call.usable[call.hole].any()
        at = np.flatnonzero(call.hole.any(axis=1))
        assert not call.usable[at].all(axis=0).all()
        np.testing.assert_allclose(call.window[call.usable], 100 / 255, atol=1e-6)


DIAGONAL = ((20, 20, 50, 50), (60, 60, 90, 90))


@pytest.mark.parametrize(("boxes", "calls"), [(NEAR, 1), (DIAGONAL, 1), (FAR, 2)])
def test_holes_whose_windows_cost_less_together_share_one(boxes, calls):
    filler = recorder(context_px=20)
    filled(filler, holes(*boxes))
    assert len(filler.calls) == calls
    assert sum(call.pixels for call in filler.calls) == 2 * 30 * 30


def test_holes_are_merged_for_no_more_than_a_call_is_worth(apart):
    filler = recorder(context_px=4)
    filled(filler, holes(*DIAGONAL))
    assert len(filler.calls) == 2


def test_the_context_is_what_was_asked_for():
    for can, wide in (({"context_px": 8}, 8), ({"context_px": 8, "context_radii": 2.0}, 40)):
        filler = recorder(**can)
        filled(filler, holes((60, 100, 100, 140)))
        assert filler.calls[0].hole.shape == (40 + 2 * wide, 40 + 2 * wide)


@pytest.mark.parametrize(("side", "margin"), [(2, 4), (11, 9)])
def test_a_tiles_margin_is_one_and_a_half_radii_and_what_was_asked_for_at_least(side, margin):
    filler = recorder(context_px=4, local=True)
    filled(filler, holes((66, 66, 66 + side, 66 + side)))
    (call,) = filler.calls
    assert call.hole.shape == (TILE_PX + 2 * (margin + GUARD_PX),) * 2


def test_a_tile_at_the_border_sees_the_picture_mirrored():
    picture = flat()
    picture.samples[...] = (np.arange(SIZE[1]) % 200).astype(np.uint8)[None, :, None]
    filler = recorder(local=True)
    filled(filler, holes((60, 0, 62, 3)), picture)
    (call,) = filler.calls
    margin = 8 + GUARD_PX
    left = call.window[0, GUARD_PX:margin, 0] * 255
    np.testing.assert_allclose(left, np.arange(8)[::-1], atol=1e-4)
    # And once more at the cell's own edge.
    edge = call.window[0, : 2 * GUARD_PX]
    np.testing.assert_array_equal(edge, edge[::-1])


def test_the_scale_is_the_windows_that_the_filler_was_made_for():
    filler = recorder(window_px=64)
    filled(filler, holes((40, 60, 120, 180)))
    (call,) = filler.calls
    assert max(call.hole.shape) == 64
    filler = recorder(window_px=136)
    filled(filler, holes((40, 60, 120, 180)))
    assert filler.calls[0].hole.shape == (96, 136)


def test_a_prior_is_made_for_who_takes_one_from_what_may_be_read():
    picture, mask = noisy(), holes((60, 100, 100, 140))
    with_prior, without = recorder(takes_prior=True), recorder()
    filled(with_prior, mask, Picture(picture.samples.copy(), "RGB"))
    filled(without, mask, picture)
    (call,) = with_prior.calls
    expected = smooth().fill(call.window, call.hole, usable=call.usable).pixels
    np.testing.assert_array_equal(call.prior, expected)
    assert without.calls[0].prior is None


def test_lines_are_cut_to_the_window():
    filler = recorder(takes_guide=True)
    lines = np.zeros(SIZE, bool)
    lines[:, 120] = lines[77] = True
    mask = holes((60, 100, 100, 140))
    repair_picture(flat(), mask, Settings(method=filler), guide=lines)
    np.testing.assert_array_equal(filler.calls[0].guide, lines[52:108, 92:148])
    repair_picture(flat(), mask, Settings(method=filler))
    assert filler.calls[1].guide is None


def test_what_is_transparent_or_missing_may_not_be_read():
    picture = Picture(np.full((*SIZE, 4), 200, np.uint8), "RGBA")
    picture.samples[60:100, 92:96, 3] = 0
    filler = recorder()
    filled(filler, holes((60, 100, 100, 140)), picture)
    (call,) = filler.calls
    assert not call.usable[8:48, 0:4].any()
    assert call.usable[:8].all()


@pytest.mark.parametrize("answer", [np.zeros((3, 3, 3), np.float32), np.nan])
def test_an_answer_that_breaks_the_contract_is_refused(monkeypatch, answer):
    def fill(self, window, hole, **options):
        return remend.Filled(answer if np.ndim(answer) else np.full_like(window, answer))

    monkeypatch.setattr(Recorder, "fill", fill)
    with pytest.raises(remend.RemendError, match="the filler recorder answered"):
        filled(recorder(), holes(THIN))


# What is made of its answer


def test_a_filler_that_draws_keeps_the_tone_of_a_grey_picture():
    mask = holes((60, 100, 100, 140))
    rosy = (0.8, 0.7, 0.7)
    drawn = filled(recorder(draws=True, colour=rosy), mask, noisy())[mask].astype(int)
    assert np.ptp(drawn, axis=1).max() <= 1
    copied = filled(recorder(colour=rosy), mask, noisy())[mask].astype(int)
    assert np.ptp(copied, axis=1).min() > 15


def test_colours_that_are_nowhere_around_are_drawn_back_where_a_filler_strays():
    mask, rosy = holes((60, 100, 100, 140)), (0.8, 0.6, 0.6)
    spread = {}
    for strays in (False, True):
        fill = filled(recorder(colour=rosy, strays=strays), mask, noisy(), grain=0)[mask].astype(int)
        spread[strays] = np.ptp(fill, axis=1).mean()
    assert spread[True] < 0.5 * spread[False]


def test_grain_is_laid_on_what_is_smooth_as_strong_as_asked():
    mask = holes((60, 100, 100, 140))
    spread = {}
    for grain in (0, 0.5, 1.0):
        spread[grain] = filled(recorder(context_px=40), mask, noisy(), grain=grain)[mask][:, 0].std()
    assert spread[0] == 0
    assert 0.35 * spread[1.0] < spread[0.5] < 0.65 * spread[1.0]
    assert 5 < spread[1.0] < 13  # the picture's is 9
    textured = recorder(context_px=40, makes_texture=True)
    assert filled(textured, mask, noisy(), grain=1.0)[76:84, 116:124, 0].std() < 1, "texture gets no grain"


def test_grain_follows_the_seed_and_differs_from_step_to_step(apart):
    mask = holes(*FAR)
    outputs = [filled(recorder(context_px=30), mask, noisy(), grain=1.0, seed=seed) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert (outputs[0] != outputs[2]).any()
    first, second = (outputs[0][top:bottom, left:right] for top, left, bottom, right in FAR)
    assert (first != second).any()


def test_seams_are_healed_where_there_is_texture():
    mask = holes((60, 100, 100, 140))
    healed = filled(recorder(makes_texture=True), mask)[:, :, 0].astype(int)
    plain = filled(recorder(), mask)[:, :, 0].astype(int)
    assert (plain[mask] == round(FILL * 255)).all()
    assert healed[80, 100] < plain[80, 100] - 30  # towards the 100 beside it
    assert abs(healed[80, 120] - plain[80, 120]) < 10


def test_what_was_copied_is_copied_in_the_other_channels_too():
    mask = holes((60, 100, 100, 140))
    picture = Picture(np.full((*SIZE, 4), 100, np.uint8), "CMYK")
    picture.samples[..., 3] = 60
    picture.samples[52, 92, 3] = 33  # where the recorder says that it copies from
    filler = recorder(sources=True)
    samples = filled(filler, mask, picture)
    assert len(filler.calls) == 1
    assert (samples[mask][:, 3] == 33).all()
    asked = recorder()
    filled(asked, mask, Picture(np.full((*SIZE, 4), 100, np.uint8), "CMYK"))
    assert len(asked.calls) == 2


def test_alpha_is_a_group_of_its_own_when_asked_for():
    picture = Picture(np.full((*SIZE, 4), 200, np.uint8), "RGBA")
    filler = recorder()
    filled(filler, holes((60, 100, 100, 140)), picture, repair_alpha=True)
    assert len(filler.calls) == 2
    np.testing.assert_allclose(filler.calls[1].window[~filler.calls[1].hole], 200 / 255, atol=1e-6)


def test_what_lies_outside_the_hole_is_never_taken_from_the_answer():
    picture, mask = noisy(), holes((60, 100, 100, 140), THIN)
    truth = picture.samples.copy()
    samples = filled(recorder(local=True), mask, picture, grain=1.0)
    np.testing.assert_array_equal(samples[~mask], truth[~mask])


@pytest.mark.parametrize("options", [{"denoise": 0.5}, {"sharpen": 1.0}], ids=["denoise", "sharpen"])
def test_polish_leaves_no_trace_of_its_tiles(monkeypatch, options):
    mask = holes(THIN, *FAR)
    outputs = []
    for tile in (4096, 48):
        monkeypatch.setattr(polish, "TILE_PX", tile)
        settings = {"whole_picture": True} | options
        outputs.append(filled(recorder(), mask, noisy(), **settings))
    np.testing.assert_array_equal(*outputs)
    assert (outputs[0] != filled(recorder(), mask, noisy())).any()
