"""360° panoramas: how they are known, their poles, the tripod, and damage that is found across the border."""

import io

import numpy as np
import pytest
from PIL import Image

import remend
from remend.damage import panorama
from remend.damage.find import Analysis
from remend.errors import UsageError
from remend.finding import find_mask
from remend.options import MaskOptions, Settings
from remend.picture import Box, Container, Metadata, Picture, Region
from remend.pipeline import plan_repair, repair_picture
from remend.projection import projection_of
from remend.windows.pole import poles_of

SIZE = (256, 512)
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"%s</rdf:Description></rdf:RDF>
</x:xmpmeta>"""
SPHERE = XMP % b' GPano:ProjectionType="equirectangular">'


def directions(size=SIZE):
    """(H, W, 3) unit vectors: ahead, right, up."""
    height, width = size
    down = (np.arange(height) + 0.5) * np.pi / height
    round_ = (np.arange(width) + 0.5) * 2 * np.pi / width
    return np.stack(
        [
            np.sin(down)[:, None] * np.cos(round_),
            np.sin(down)[:, None] * np.sin(round_),
            np.cos(down)[:, None] + 0 * round_,
        ],
        axis=2,
    )


def sphere(size=SIZE, dtype=np.uint8):
    """A world of smooth colours: the same everywhere on the sphere, poles included."""
    ahead, right, up = np.moveaxis(directions(size), 2, 0)
    planes = [
        0.5 + 0.3 * np.sin(4 * ahead + up),
        0.5 + 0.3 * np.cos(3 * right),
        0.5 + 0.3 * np.sin(5 * up + ahead),
    ]
    full = np.iinfo(dtype).max
    return Picture(np.rint(full * np.stack(planes, axis=2)).astype(dtype), "RGB", projection="equirect")


def disc(radius_deg, size=SIZE, *, down=True):
    rows = round(size[0] * radius_deg / 180)
    mask = np.zeros(size, bool)
    mask[-rows:] = down
    mask[:rows] |= not down
    return mask


def copy_of(picture, **changed):
    fields = {"samples": picture.samples.copy(), "mode": picture.mode, "projection": picture.projection}
    return Picture(**(fields | changed))


def with_xmp(xmp, size=(64, 128)):
    container = Container("png", metadata=Metadata(xmp=xmp))
    return Picture(np.zeros((*size, 3), np.uint8), "RGB", container=container)


# How a panorama is known


@pytest.mark.parametrize(
    ("inside", "size", "projection"),
    [
        (b' GPano:ProjectionType="equirectangular">', (64, 128), "equirect"),
        (b"><GPano:ProjectionType>equirectangular</GPano:ProjectionType>", (64, 128), "equirect"),
        (b' GPano:ProjectionType="equirectangular">', (64, 120), "flat"),
        (b' GPano:ProjectionType="cylindrical">', (64, 128), "flat"),
        (
            b' GPano:ProjectionType="equirectangular" GPano:CroppedAreaImageWidthPixels="128"'
            b' GPano:FullPanoWidthPixels="200">',
            (64, 128),
            "flat",
        ),
        (
            b' GPano:ProjectionType="equirectangular" GPano:CroppedAreaImageWidthPixels="128"'
            b' GPano:FullPanoWidthPixels="128">',
            (64, 128),
            "equirect",
        ),
        (b">", (64, 128), "flat"),
    ],
)
def test_the_file_says_that_it_is_a_panorama(inside, size, projection):
    assert projection_of(with_xmp(XMP % inside, size)) == projection


def test_what_is_asked_for_wins():
    assert projection_of(with_xmp(SPHERE), "flat") == "flat"
    assert projection_of(with_xmp(None), "equirect") == "equirect"
    with pytest.raises(UsageError, match="twice as wide as high"):
        projection_of(with_xmp(None, (64, 100)), "equirect")


def test_it_is_told_and_the_metadata_stay():
    file = io.BytesIO()
    Image.fromarray(sphere().samples).save(file, "JPEG", quality=95, xmp=SPHERE)
    out = io.BytesIO()
    mask = np.zeros(SIZE, np.uint8)
    mask[100:120, np.r_[500:512, 0:12]] = 255
    from remend.repairing import repair_file

    report = repair_file(file.getvalue(), out, mask=mask)
    assert any("360° panorama" in note for note in report.notes)
    assert Image.open(io.BytesIO(out.getvalue())).info["xmp"] == SPHERE
    assert len(report.plan.steps) == 1


# Poles


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_disc_around_a_pole_is_filled_as_if_seen_straight_on(down, dtype):
    """As good as the same fill of a picture that is the view; and the pole is one place, no row of them."""
    whole, mask = sphere(dtype=dtype), disc(10, down=down)
    (pole,) = poles_of(whole, mask)
    settings = Settings(method="smooth", grain=0)

    def error(panorama):
        area = np.sin((np.arange(SIZE[0]) + 0.5) * np.pi / SIZE[0])[:, None, None] * mask[..., None]
        gap = np.abs(panorama.samples.astype(float) - whole.samples)
        return (gap * area).sum() / area.sum() / 3

    hurt = copy_of(whole)
    hurt.samples[mask] = 0
    done = repair_picture(hurt, mask, settings).picture
    assert (done.samples[~mask] == whole.samples[~mask]).all()
    seen = pole.look(whole, mask)
    straight = repair_picture(copy_of(seen.picture), seen.hole, settings).picture.samples.astype(float)
    truth = pole.look(whole, np.zeros(SIZE, bool)).picture.samples
    assert error(done) == pytest.approx(np.abs(straight - truth)[pole.lay(mask)].mean(), rel=0.1)
    lying = copy_of(whole, projection="flat")
    lying.samples[mask] = 0
    lying = repair_picture(lying, mask, settings).picture
    row = -1 if down else 0  # one place of the world
    spread, spread_lying = (one.samples[row].std(axis=0).mean() for one in (done, lying))
    assert spread < 0.1 * spread_lying


@pytest.mark.parametrize("down", [True, False])
def test_the_view_shows_the_world_and_carries_it_back(down):
    whole, mask = sphere(), disc(40, down=down)
    (pole,) = poles_of(whole, mask)
    view = pole.look(whole, np.zeros(SIZE, bool))
    assert not view.hole.any()
    # Its middle is the pole, and a step to the right leads to the right.
    middle = view.picture.samples[pole.side_px // 2, pole.side_px // 2].astype(int)
    row = whole.samples[-1 if down else 0].astype(int).mean(axis=0)
    assert np.abs(middle - row).max() <= 2
    back = copy_of(whole)
    back.samples[mask] = 0
    pole.put(back, view.picture, (0, 1, 2))
    assert np.abs(back.samples.astype(int) - whole.samples)[mask].max() <= 2


def test_lettering_is_not_mirrored_in_the_view():
    """Looking down with the forward direction up, what is to the right is on the right."""
    picture = sphere()
    picture.samples[:] = 40
    ahead = (np.arange(512) + 0.5) / 512 * 360
    picture.samples[-60:, np.abs(ahead - 90) < 20, 0] = 200  # brightest: the view turns it up
    picture.samples[-60:, np.abs(ahead - 180) < 20, 1] = 200  # to the right of that
    (pole,) = poles_of(picture, disc(12))
    view = pole.look(picture, np.zeros(SIZE, bool)).picture.samples
    y, _ = np.nonzero(view[..., 0] > 120)
    _, x = np.nonzero(view[..., 1] > 120)
    assert y.max() <= pole.side_px / 2 + 1
    assert x.min() >= pole.side_px / 2 - 2


def test_where_the_file_begins_does_not_matter():
    whole, mask = sphere(), disc(15)
    mask[100:130, np.r_[490:512, 0:20]] = True
    hurt = copy_of(whole)
    hurt.samples[mask] = 0
    turned = copy_of(hurt, samples=np.roll(hurt.samples, 256, axis=1))
    one = repair_picture(hurt, mask, Settings(grain=0)).picture.samples
    other = repair_picture(turned, np.roll(mask, 256, axis=1), Settings(grain=0)).picture.samples
    gap = np.abs(np.roll(other, -256, axis=1).astype(int) - one)
    assert gap[mask].mean() <= 1
    assert (gap[disc(15)] == 0).all()


def test_what_is_damaged_or_says_nothing_is_not_read_in_the_view():
    whole, mask = sphere(), disc(10)
    samples = np.concatenate([whole.samples, np.full((*SIZE, 1), 255, np.uint8)], axis=2)
    samples[mask, :3] = 255
    samples[200:220, 100:140] = (255, 0, 255, 0)  # transparent, near the disc
    picture = Picture(samples, "RGBA", projection="equirect")

    class Seeing:
        name = "seeing"
        capabilities = remend.Capabilities(context_px=60)

        def fill(self, window, hole, *, usable, prior=None, seed=0):
            assert window[usable].max() < 0.95
            assert window[usable].min() > 0.05
            return remend.Filled(np.where(hole[..., None], np.float32(0.5), window))

    done = repair_picture(picture, mask, Settings(method=Seeing(), grain=0)).picture.samples
    assert (done[..., 3] == samples[..., 3]).all()
    assert np.abs(done[mask, :3].astype(int) - 128).max() <= 1


def test_the_plan_tells_of_the_view():
    picture, mask = sphere(), disc(15)
    mask[100:110, 100:130] = True
    plan = plan_repair(picture, mask, Settings())
    first, second = plan.steps
    assert "nadir" in first.reason
    assert first.window.bottom == SIZE[0]
    assert (first.hole == mask[first.window.slices]).all()
    assert second.window.bottom < 200
    heard = []
    repair_picture(
        picture,
        mask,
        Settings(),
        observer=lambda number, count, step, filled: heard.append((number, count, step)),
    )
    assert [number for number, _, _ in heard] == [1, 2]
    assert tuple(step.reason for _, _, step in heard) == (first.reason, second.reason)


# Finding


def test_the_tripod_is_the_disc_below():
    finding = find_mask(
        sphere(), None, options=MaskOptions(find="tripod", projection="equirect", dilate_px=0)
    )
    (found,) = finding.regions
    assert found.kind == "tripod"
    rows = np.flatnonzero(finding.mask.any(axis=1))
    assert (rows[0], rows[-1]) == (int(256 * (1 - 15 / 180)), 255)
    assert finding.mask[rows[0] :].all()
    wide = find_mask(sphere(), None, options=MaskOptions(find="tripod", projection="equirect", tripod_deg=30))
    assert wide.mask.sum() > 1.8 * finding.mask.sum()


def test_there_is_no_tripod_below_a_flat_picture():
    with pytest.raises(UsageError, match="--projection equirect"):
        find_mask(copy_of(sphere()), None, options=MaskOptions(find="tripod"))


def test_what_lies_over_the_border_is_found_there(monkeypatch):
    """The finder sees the picture go on beyond its border, and everything once."""
    asked = []

    def analyse(image, **options):
        asked.append(image.shape)
        line = np.ones((10, 40), bool)
        beyond = Region(Box(40, 0, 50, 40), line, "scratch", 0.9)  # seen on the other side, too
        over = Region(Box(80, 44, 90, 84), line, "scratch", 0.9)  # from -20 to 20
        amid = Region(Box(100, 200, 110, 240), line, "dust", 0.9)
        return Analysis((beyond, over, amid))

    monkeypatch.setattr(panorama, "analyse", analyse)
    finding = find_mask(sphere(), None, options=MaskOptions(projection="equirect", dilate_px=3))
    assert asked == [(256, 640, 3)]
    boxes = sorted((region.box.left, region.box.right) for region in finding.regions)
    assert boxes == [(0, 20), (136, 176), (492, 512)]
    # Grown over the border, too.
    assert finding.mask[85, [0, 511, 22, 489]].all()
    assert finding.mask[92, 0]
    assert not finding.mask[45].any()


def test_the_verbs_take_the_projection():
    whole, mask = sphere(), disc(10)
    hurt = whole.samples.copy()
    hurt[mask] = 0
    done = remend.repair(hurt, mask, projection="equirect", quality="fast")
    assert np.abs(done.astype(int) - whole.samples)[mask].mean() < 4
    (found,) = remend.detect(hurt, find="tripod", projection="equirect", tripod_deg=10)
    assert found.kind == "tripod"
