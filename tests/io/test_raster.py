"""GeoTIFFs as GDAL sees them: untouched but for the hole, and other grids brought onto theirs."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import remend
from remend.cli.repair import repair as command
from remend.errors import FormatError

rasterio = pytest.importorskip("rasterio", reason="maps need an extra: pip install '.[geo]'")
from rasterio.enums import ColorInterp, Resampling  # noqa: E402
from rasterio.transform import Affine  # noqa: E402
from rasterio.warp import reproject  # noqa: E402

KINDS = (np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32, np.float32, np.float64)
PLACE = Affine(30, 0, 500_000, 0, -30, 4_100_000)

# Of libraries below: Rasterio multiplies matrices as it used to.
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")


def scene(kind: type, bands: int = 5, side: int = 160) -> np.ndarray:
    """(bands, side, side), what a GeoTIFF holds."""
    y, x = np.mgrid[:side, :side] / side
    rng = np.random.default_rng(bands)
    rough = rng.random((side, side)) * 0.05
    planes = [0.5 + 0.3 * np.sin(9 * x + k) * np.cos(7 * y) + rough for k in range(bands)]
    top = 1.0 if np.dtype(kind).kind == "f" else min(np.iinfo(kind).max, 2**31) / 4
    return (np.stack(planes) * top).astype(kind)


def hole_in(side: int = 160) -> np.ndarray:
    hole = np.zeros((side, side), bool)
    hole[60:72, 40:90] = hole[100:104] = True
    return hole


def write(path: Path, samples: np.ndarray, **more) -> Path:
    profile = {
        "driver": "GTiff",
        "count": len(samples),
        "height": samples.shape[1],
        "width": samples.shape[2],
        "dtype": samples.dtype,
        "crs": "EPSG:32633",
        "transform": PLACE,
    }
    with rasterio.open(path, "w", **profile | more) as file:
        file.write(samples)
        if len(samples) == 5:
            file.colorinterp = [ColorInterp.blue, ColorInterp.green, ColorInterp.red] + [
                ColorInterp.undefined
            ] * 2
        for band in range(1, len(samples) + 1):
            file.set_band_description(band, f"B{band:02d}")
            file.update_tags(band, wavelength=str(400 + 90 * band))
        file.scales, file.offsets = [0.0001] * len(samples), [-0.1] * len(samples)
        file.update_tags(ACQUIRED="2024-05-01", AREA_OR_POINT="Area")
        file.update_tags(ns="CLOUDS", cover="12")
    return path


def told(path: str | Path) -> tuple[dict[str, object], np.ndarray]:
    """All that Rasterio says of a file, and its samples."""
    with rasterio.open(path) as file:
        every = range(1, file.count + 1)
        spaces = [space for space in file.tag_namespaces() if space != "DERIVED_SUBDATASETS"]
        said = {
            "profile": {**file.profile, "nodata": repr(file.nodata)},
            "crs": file.crs,
            "transform": file.transform,
            "tags": {space: file.tags(ns=space) for space in ("", *spaces)},
            "of bands": [file.tags(band) for band in every],
            "descriptions": file.descriptions,
            "colours": file.colorinterp,
            "scales": (file.scales, file.offsets, file.units),
            "masks": file.mask_flag_enums,
            "overviews": [file.overviews(band) for band in every],
            "blocks": file.block_shapes,
            "gcps": file.gcps,
            "rpcs": file.rpcs,
        }
        return said, file.read()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"interleave": "band", "compress": "deflate", "predictor": 1},
        {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "lzw", "bigtiff": "yes"},
        {"compress": "zstd", "endianness": "big"},
    ],
)
def test_five_bands_keep_all_that_rasterio_tells(kind, layout, tmp_path) -> None:
    empty = np.nan if np.dtype(kind).kind == "f" else 0 if np.dtype(kind).kind == "u" else -99
    samples, hole = scene(kind), hole_in()
    samples[:, :8, :20] = empty
    damaged = np.where(hole, np.asarray(empty, kind), samples)
    path = write(tmp_path / "scene.tif", damaged, nodata=empty, **layout)
    out = remend.repair(str(path), hole, grain=0)
    (before, old), (after, new) = told(path), told(out)
    assert after == before
    assert new[:, ~hole].tobytes() == old[:, ~hole].tobytes()
    spread = np.ptp(samples[:, 8:].astype(float))
    assert (np.abs(new.astype(float) - samples)[:, hole].mean(axis=1) < 0.1 * spread).all()
    assert not (new[:, hole] == empty).any()
    assert np.isfinite(new[:, hole].astype(float)).all()


def test_a_turned_grid_ground_control_and_overviews(tmp_path) -> None:
    path = write(
        tmp_path / "turned.tif",
        scene(np.uint8, 3),
        transform=PLACE * Affine.rotation(20),
        tiled=True,
        blockxsize=32,
        blockysize=32,
        photometric="rgb",
    )
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], Resampling.average)
    hole = hole_in()
    out = remend.repair(str(path), hole, grain=0)
    (before, old), (after, new) = told(path), told(out)
    assert after == before
    assert np.array_equal(new[:, ~hole], old[:, ~hole])
    with rasterio.open(out, overview_level=0) as small, rasterio.open(path, overview_level=0) as was:
        assert (small.read() != was.read()).any()  # the overviews show the repair, too
    gcps = [
        rasterio.control.GroundControlPoint(r, c, 10 + c / 50, 50 - r / 50) for r in (0, 99) for c in (0, 99)
    ]
    with rasterio.open(path, "r+") as file:
        file.gcps = gcps, rasterio.CRS.from_epsg(4326)
    again = remend.repair(str(path), hole, grain=0, overwrite=True)
    assert str(told(again)[0]["gcps"]) == str(told(path)[0]["gcps"])


def test_another_date_on_another_grid(tmp_path) -> None:
    truth, hole = scene(np.uint16, 3, 256), np.zeros((256, 256), bool)
    hole[100:140, 80:150] = True
    path = write(tmp_path / "scene.tif", np.where(hole, 0, truth).astype(np.uint16), nodata=0)
    # The other date in geographic coordinates, of other size, pixels and values.
    there = Affine(0.0003, 0, 14.99, 0, -0.0003, 37.06)
    other = np.zeros((3, 420, 460), np.uint16)
    dim = (truth * 0.7 + 400).astype(np.uint16)
    reproject(
        dim,
        other,
        src_transform=PLACE,
        src_crs="EPSG:32633",
        dst_transform=there,
        dst_crs="EPSG:4326",
        resampling=Resampling.cubic,
        dst_nodata=0,
    )
    date = write(tmp_path / "date.tif", other, crs="EPSG:4326", transform=there, nodata=0)
    ran = CliRunner().invoke(
        command,
        [str(path), "-m", str(path), "--mask-polarity", "nodata", "--reference", str(date), "--json"],
    )
    assert ran.exit_code == 0, ran.output
    assert "brought onto the picture's grid" in ran.output
    said, new = told(tmp_path / "scene.repaired.tif")
    assert said == told(path)[0]
    assert np.array_equal(new[:, ~hole], truth[:, ~hole])
    for band in range(3):
        assert np.corrcoef(new[band][hole], truth[band][hole])[0, 1] > 0.95


def test_without_the_extra_another_grid_is_refused(tmp_path, monkeypatch) -> None:
    path = write(tmp_path / "scene.tif", scene(np.uint8, 3))
    date = write(tmp_path / "date.tif", scene(np.uint8, 3, 200))
    monkeypatch.setitem(__import__("sys").modules, "rasterio", None)
    with pytest.raises(FormatError, match=r"remend\[geo\]"):
        remend.repair(str(path), hole_in(), reference=str(date))


def blocks_of(path: str | Path, level: int | None) -> list[tuple[int, int]]:
    """(offset, length) of the tiles of a cloud-optimised file, from its first directory or an overview's."""
    more = {} if level is None else {"overview_level": level}
    with rasterio.open(path, **more) as file:
        found = []
        for (row, column), _ in file.block_windows(1):
            tags = (f"BLOCK_{what}_{column}_{row}" for what in ("OFFSET", "SIZE"))
            found.append(tuple(int(file.get_tag_item(tag, "TIFF", bidx=1) or 0) for tag in tags))
        return found


@pytest.mark.parametrize("compress", ["deflate", "lzw", "none"])
@pytest.mark.parametrize("bigtiff", ["no", "yes"])
def test_a_cloud_optimised_file_stays_one(compress, bigtiff, tmp_path) -> None:
    from rasterio.shutil import copy

    samples, hole = scene(np.uint8, 3, 520), np.zeros((520, 520), bool)
    hole[200:215, 100:400] = True
    plain = write(tmp_path / "plain.tif", np.where(hole, 0, samples).astype(np.uint8))  # holes compress well
    path = tmp_path / "cog.tif"
    copy(plain, path, driver="COG", compress=compress, blocksize=128, bigtiff=bigtiff, overview_count=2)
    out = remend.repair(str(path), hole, grain=0)
    (before, old), (after, new) = told(path), told(out)
    assert after == before
    assert after["tags"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG"
    assert np.array_equal(new[:, ~hole], old[:, ~hole])
    data, end = Path(out).read_bytes(), None
    assert b"KNOWN_INCOMPATIBLE_EDITION=NO\n" in data[:300]
    for level in (1, 0, None):  # the smallest overview first, then the picture, each tile behind the last
        for offset, length in blocks_of(out, level):
            assert end is None or offset == end + 4
            assert int.from_bytes(data[offset - 4 : offset], "little") == length
            assert data[offset + length : offset + length + 4] == data[offset + length - 4 : offset + length]
            end = offset + length + 4
    assert end == len(data)
