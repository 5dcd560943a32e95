"""Of a file that is cut short what came is opened as it is, and what did not is marked."""

import io

import numpy as np
import pytest
from PIL import Image

from remend.api import detect, repair
from remend.errors import DecodeError
from remend.io import encode_picture, read_picture
from remend.io.png.chunks import chunk_bytes

SIZE = 128


def made(format: str, mode: str = "RGB", **options) -> bytes:
    y, x = np.mgrid[:SIZE, :SIZE]
    noise = np.random.default_rng(0).integers(0, 30, (SIZE, SIZE))
    samples = np.stack([x + noise, y + noise, 200 - x // 2 + noise], axis=2).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(samples).convert(mode).save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("share", [0.9, 0.6, 0.35])
def test_a_jpeg_cut_short(mode, share):
    whole = made("JPEG", mode, quality=90)
    data = whole[: int(len(whole) * share)]
    with pytest.raises(DecodeError, match="--tolerate"):
        read_picture(data)
    picture, truth = read_picture(data, tolerate=True), read_picture(whole)
    missing = picture.container.missing
    assert 0 < missing.mean() < 1.15 - share
    assert np.array_equal(picture.samples[~missing], truth.samples[~missing])
    assert any("cut short" in note for note in picture.container.notes)
    picture.samples[missing] = 100
    encoded = encode_picture(picture, changed=missing)
    after = read_picture(encoded.data)  # whole again
    far = ~missing
    far[:, :-1] &= far[:, 1:]
    assert np.abs(after.samples[missing].astype(int) - 100).mean() < 1
    kept = np.flatnonzero(far.all(axis=1))[:-17]
    assert np.array_equal(after.samples[kept], truth.samples[kept])


def test_a_progressive_jpeg_cut_short_is_coarse_but_all_there():
    whole = made("JPEG", progressive=True, quality=90)
    picture = read_picture(whole[: int(len(whole) * 0.6)], tolerate=True)
    assert not picture.container.missing.any()
    assert np.abs(picture.samples.astype(int) - read_picture(whole).samples).mean() < 12


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
@pytest.mark.parametrize("damage", ["cut", "bits"])
def test_a_png_cut_short_or_damaged_inside(mode, damage):
    whole = made("PNG", mode)
    data = bytearray(whole)
    if damage == "cut":
        del data[len(data) * 2 // 3 :]
    else:
        at = len(data) * 2 // 3
        data[at : at + 40] = bytes(40)
    with pytest.raises(DecodeError, match=r"--tolerate|checksum"):
        read_picture(bytes(data))
    picture, truth = read_picture(bytes(data), tolerate=True), read_picture(whole)
    missing = picture.container.missing
    if damage == "cut":
        assert 0.1 < missing.mean() < 0.7
        assert np.array_equal(picture.samples[~missing], truth.samples[~missing])
    picture.samples[missing] = 0
    after = read_picture(encode_picture(picture, changed=missing).data)
    assert np.array_equal(after.samples, picture.samples)


@pytest.mark.parametrize("bytes_lost", [3, 12, 16, 20])
@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_a_png_of_which_only_the_end_is_missing(mode, bytes_lost):
    whole = made("PNG", mode)
    picture = read_picture(whole[:-bytes_lost], tolerate=True)
    assert not picture.container.missing.any()
    assert any("all of the picture is there" in note for note in picture.container.notes)
    changed = np.zeros(picture.size, bool)
    changed[5:9, 5:9] = True
    picture.samples[changed] = picture.samples[50, 50]
    after = read_picture(encode_picture(picture, changed=changed).data)
    assert np.array_equal(after.samples, picture.samples)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_file_is_written_whole_even_where_no_pixel_changes(format, progressive):
    whole = made(format, progressive=progressive)
    cut = whole[:-20] if format == "PNG" else whole[: len(whole) * 3 // 4]
    picture = read_picture(cut, tolerate=True)
    written = encode_picture(picture, changed=np.zeros(picture.size, bool)).data
    assert np.array_equal(read_picture(written).samples, picture.samples)


def test_a_wrong_checksum_over_good_data_is_tolerated():
    data = bytearray(made("PNG"))
    end = data.rindex(b"IEND") - 4
    data[end - 4 : end] = b"\0" * 4
    with pytest.raises(DecodeError, match=r"checksum.*--tolerate"):
        read_picture(bytes(data))
    picture = read_picture(bytes(data), tolerate=True)
    changed = np.ones(picture.size, bool)
    assert np.array_equal(
        read_picture(encode_picture(picture, changed=changed).data).samples, picture.samples
    )


def test_entries_that_a_palette_lacks_are_no_missing_pixels():
    whole = made("PNG", "P")
    at = whole.index(b"PLTE")
    length = int.from_bytes(whole[at - 4 : at], "big")
    plte = chunk_bytes(b"PLTE", whole[at + 4 : at + 4 + 30])
    picture = read_picture(whole[: at - 4] + plte + whole[at + 8 + length :], tolerate=True)
    assert picture.container.missing is None
    assert any("palette lacks" in note for note in picture.container.notes)


def test_whole_files_are_read_as_ever():
    for data in (made("JPEG"), made("JPEG", progressive=True), made("PNG")):
        picture = read_picture(data, tolerate=True)
        assert picture.container.missing is None
        assert np.array_equal(picture.samples, read_picture(data).samples)


def test_nothing_came_at_all():
    jpeg = made("JPEG")
    for data in (jpeg[: jpeg.index(b"\xff\xda") + 14], made("PNG")[:43]):
        with pytest.raises(DecodeError):
            read_picture(data, tolerate=True)


def test_a_truncated_picture_is_searched_when_it_is_tolerated():
    cut = made("PNG")[:-2000]
    with pytest.raises(DecodeError, match="--tolerate"):
        detect(cut)
    assert detect(cut, tolerate=True) == detect(read_picture(cut, tolerate=True).samples)


def test_what_is_missing_is_repaired_with_the_rest(tmp_path):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    whole = made("PNG")
    source.write_bytes(whole[: len(whole) * 9 // 10])
    repair(str(source), output=target, tolerate=True, method="telea")
    after, truth = read_picture(target), read_picture(whole)
    missing = read_picture(source, tolerate=True).container.missing
    assert np.array_equal(after.samples[~missing], truth.samples[~missing])
    assert after.samples[missing].min() > 0
