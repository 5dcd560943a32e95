"""Files of several pages, repaired page by page: `--pages`, in Python and on the command line."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import remend
from remend.cli.main import main
from remend.errors import FormatError, MaskError, PictureError, UsageError
from remend.io.pages import open_document
from remend.pages import check_pages, chosen_pages
from remend.repairing import repair_file

H, W = 60, 80


def page(number: int, kind: type = np.uint8, size: tuple[int, int] = (H, W)) -> np.ndarray:
    """A smooth page, another for each number."""
    y, x = np.mgrid[: size[0], : size[1]] / 80
    grey = (np.sin(2 * x + number) + np.cos(3 * y)) / 4 + 0.5
    return np.rint(grey * np.iinfo(kind).max * 0.9).astype(kind)


def hole_in(number: int = 0) -> np.ndarray:
    hole = np.zeros((H, W), bool)
    hole[20 + number : 28 + number, 30:50] = True
    return hole


def scan(path: Path, damaged: np.ndarray | list[np.ndarray], count: int = 4) -> list[np.ndarray]:
    """A TIFF of pages, white where ``damaged``; the pages as they were."""
    holes = damaged if isinstance(damaged, list) else [damaged] * count
    whole = [page(number) for number in range(count)]
    with tifffile.TiffWriter(path) as writer:
        for number, (one, hole) in enumerate(zip(whole, holes, strict=True)):
            shown = np.where(hole, 255, one).astype(np.uint8)
            writer.write(
                shown, metadata=None, rowsperstrip=8, compression="zlib", description=f"page {number}"
            )
    return whole


def pages_of(path: str | Path) -> list[np.ndarray]:
    with tifffile.TiffFile(path) as file:
        return [one.asarray() for one in file.pages]


def bytes_of_page(path: str | Path, number: int) -> list[bytes]:
    """The bytes of a page's directory and strips, and where they lie."""
    data = Path(path).read_bytes()
    with tifffile.TiffFile(path) as file:
        found = file.pages[number]
        places = [*zip(found.dataoffsets, found.databytecounts, strict=True), (found.offset, 200)]
        return [bytes(f"{at}", "ascii") + data[at : at + length] for at, length in places]


def near(repaired: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> bool:
    close = np.abs(repaired[hole].astype(int) - truth[hole]).max() <= 6
    return bool(close) and np.array_equal(repaired[~hole], truth[~hole])


def exit_code(arguments: list[str]) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_all_pages(tmp_path: Path) -> None:
    hole = hole_in()
    whole = scan(tmp_path / "scan.tif", hole)
    out = remend.repair(str(tmp_path / "scan.tif"), hole, pages="all", grain=0)
    repaired = pages_of(out)
    assert len(repaired) == 4
    assert all(near(got, truth, hole) for got, truth in zip(repaired, whole, strict=True))
    with tifffile.TiffFile(out) as file:
        assert [one.description for one in file.pages] == [f"page {number}" for number in range(4)]


def test_named_pages_and_the_others_stay_where_they_are(tmp_path: Path) -> None:
    path, hole = tmp_path / "scan.tif", hole_in()
    whole = scan(path, hole)
    out = remend.repair(str(path), hole, pages="2,4", grain=0)
    before, after = pages_of(path), pages_of(out)
    for number in (1, 3):
        assert near(after[number], whole[number], hole)
    for number in (0, 2):
        assert np.array_equal(after[number], before[number])
        assert bytes_of_page(out, number)[:-1] == bytes_of_page(path, number)[:-1]


def test_a_page_is_repaired_as_it_would_be_alone(tmp_path: Path) -> None:
    path, hole = tmp_path / "scan.tif", hole_in()
    scan(path, hole)
    alone = remend.repair(str(path), hole, output=tmp_path / "alone.tif")
    named = remend.repair(str(path), hole, output=tmp_path / "named.tif", pages="1")
    assert Path(alone).read_bytes() == Path(named).read_bytes()
    every = remend.repair(str(path), hole, output=tmp_path / "every.tif", pages="all")
    assert np.array_equal(pages_of(every)[0], pages_of(alone)[0])
    third = remend.repair(pages_of(path)[2], hole)
    assert np.array_equal(pages_of(every)[2], third)


def test_a_mask_of_as_many_pages(tmp_path: Path) -> None:
    holes = [hole_in(4 * number) for number in range(4)]
    whole = scan(tmp_path / "scan.tif", holes)
    tifffile.imwrite(tmp_path / "mask.tif", np.stack(holes).astype(np.uint8) * 255, photometric="minisblack")
    for mask in (tmp_path / "mask.tif", np.stack(holes)):
        out = remend.repair(str(tmp_path / "scan.tif"), mask, pages="all", grain=0, overwrite=True)
        repaired = pages_of(out)
        assert all(near(*one) for one in zip(repaired, whole, holes, strict=True))


def test_a_mask_of_another_number_of_pages_is_refused(tmp_path: Path) -> None:
    scan(tmp_path / "scan.tif", hole_in())
    mask = np.stack([hole_in()] * 3)
    tifffile.imwrite(tmp_path / "mask.tif", mask.astype(np.uint8) * 255, photometric="minisblack")
    for given in (mask, tmp_path / "mask.tif"):
        with pytest.raises(MaskError, match="3 pages and the picture 4 pages: give one mask for all, or as"):
            remend.repair(str(tmp_path / "scan.tif"), given, pages="all")
    with pytest.raises(MaskError, match="the mask is the picture itself"):
        remend.repair(str(tmp_path / "scan.tif"), tmp_path / "scan.tif", pages="all")


def test_pages_of_other_kinds_sizes_and_orientations(tmp_path: Path) -> None:
    path = tmp_path / "mixed.tif"
    holes = [hole_in(), hole_in()[:50, :70], hole_in().T]
    deep = page(1, np.uint16, (50, 70))
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.dstack([page(0)] * 3), photometric="rgb", metadata=None)
        writer.write(deep, metadata=None, compression="zlib")
        writer.write(page(2), metadata=None, extratags=[(274, 3, 1, 6, True)])
    document = open_document(path)
    assert [one.size for one in document.pages] == [(60, 80), (50, 70), (80, 60)]
    with pytest.raises(MaskError, match="the picture 70×50"):
        remend.repair(str(path), holes[0], pages="1-2")
    out = remend.repair(str(path), holes[2], pages="3", grain=0)
    after = pages_of(out)
    stored = np.rot90(holes[2])  # what orientation 6 turns to the right
    assert np.array_equal(after[0], np.dstack([page(0)] * 3))
    assert np.array_equal(after[1], deep)
    assert not np.array_equal(after[2], page(2))
    assert np.array_equal(after[2][~stored], page(2)[~stored])


def test_reduced_copies_of_a_page_are_repaired_with_it(tmp_path: Path) -> None:
    path, hole = tmp_path / "scan.tif", hole_in()
    with tifffile.TiffWriter(path) as writer:
        for number in range(2):
            shown = np.where(hole, 255, page(number)).astype(np.uint8)
            writer.write(shown, metadata=None)
            writer.write(shown[::2, ::2], metadata=None, subfiletype=1)
    document = open_document(path)
    assert len(document.pages) == 2
    before = pages_of(path)
    after = pages_of(remend.repair(str(path), hole, pages="2", grain=0))
    assert np.array_equal(after[0], before[0])
    assert np.array_equal(after[1], before[1])
    assert (before[3][hole[::2, ::2]] == 255).all()
    assert (after[3][hole[::2, ::2]] < 240).all()


def test_pages_are_read_when_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import remend.io.tiff.codec as codec

    path, read = tmp_path / "scan.tif", []
    scan(path, hole_in())
    decoded = codec.decoded
    monkeypatch.setattr(codec, "decoded", lambda *given: read.append(1) or decoded(*given))
    document = open_document(path)
    assert (document.axis, len(document.pages), read) == ("page", 4, [])
    assert np.array_equal(document.pages[-1].samples[..., 0], pages_of(path)[3])
    assert len(read) == 1
    assert [one.size for one in document.pages[1:3]] == [(H, W)] * 2
    with pytest.raises(IndexError):
        document.pages[4]


def test_one_page_is_a_document_too(tmp_path: Path) -> None:
    hole = hole_in()
    Image.fromarray(np.where(hole, 255, page(0)).astype(np.uint8)).save(tmp_path / "one.png")
    plain = remend.repair(str(tmp_path / "one.png"), hole, output=tmp_path / "plain.png")
    paged = remend.repair(str(tmp_path / "one.png"), hole, output=tmp_path / "paged.png", pages="all")
    assert Path(plain).read_bytes() == Path(paged).read_bytes()
    with pytest.raises(UsageError, match="names page 2, and there are 1"):
        remend.repair(str(tmp_path / "one.png"), hole, pages="2", overwrite=True)


def test_nothing_to_repair_gives_the_very_file(tmp_path: Path) -> None:
    scan(tmp_path / "scan.tif", hole_in())
    out = remend.repair(str(tmp_path / "scan.tif"), np.zeros((H, W), bool), pages="all")
    assert Path(out).read_bytes() == (tmp_path / "scan.tif").read_bytes()


def test_other_formats_and_patches_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    scan(path, hole_in())
    with pytest.raises(FormatError, match=r"several pages .* own format \(tiff\), not as png"):
        remend.repair(str(path), hole_in(), pages="all", output=tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()
    held = io.BytesIO()
    with pytest.raises(UsageError, match="a patch is of one picture"):
        repair_file(path, held, options=remend.options.MaskOptions(pages="all"), as_patch=True)
    with pytest.raises(UsageError, match="pages is for files"):
        remend.repair(page(0), hole_in(), pages="all")


def test_a_damaged_page_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    scan(path, hole_in())
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        at = file.pages[2].dataoffsets[0]
    data[at : at + 8] = bytes(8)
    path.write_bytes(data)
    with pytest.raises(PictureError, match=r"scan\.tif, page 3: a damaged TIFF"):
        remend.repair(str(path), hole_in(), pages="all")
    remend.repair(str(path), hole_in(), pages="1-2,4")


@pytest.mark.parametrize("text", ["0", "a", "3-1", "1,,2", "-3", "1-", "all,1", "1;2"])
def test_what_names_no_pages(text: str) -> None:
    with pytest.raises(UsageError, match="--pages is all, or numbers and ranges"):
        check_pages(text)


def test_pages_by_name() -> None:
    assert chosen_pages("", 3) == (0,)
    assert chosen_pages(" ALL ", 3) == (0, 1, 2)
    assert chosen_pages("3, 1-2,2", 3) == (0, 1, 2)
    with pytest.raises(UsageError, match="names frame 4, and there are 3"):
        chosen_pages("2-4", 3, "frame")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, hole = tmp_path / "scan.tif", hole_in()
    whole = scan(path, hole)
    Image.fromarray(hole).save(tmp_path / "mask.png")
    flags = ["repair", str(path), "-m", str(tmp_path / "mask.png"), "--grain", "0", "--json"]
    assert exit_code([*flags, "--pages", "1-2", "-o", str(tmp_path / "two.tif")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["pages"], report["width"], report["height"]) == (2, W, H)
    assert report["hole_ratio"] == pytest.approx(hole.mean(), abs=1e-6)
    after = pages_of(tmp_path / "two.tif")
    assert [near(after[k], whole[k], hole) for k in range(4)] == [True, True, False, False]
    assert exit_code([*flags, "--pages", "all", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["pages"] == 4
    assert exit_code([*flags, "-o", str(tmp_path / "first.tif")]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any("first of 4 pages" in note and "--pages all" in note for note in notes)
    assert exit_code([*flags, "--pages", "9"]) == 2
    assert exit_code([*flags, "--pages", "all", "--explain", str(tmp_path / "why")]) == 2
    assert exit_code([*flags, "--pages", "2", "--explain", str(tmp_path / "why")]) == 0
    assert (tmp_path / "why").is_dir()
