"""Files written whole or not at all, in the format and the order they should have."""

import errno
import io
import os
import stat
import struct
import threading

import numpy as np
import pytest
from PIL import Image, ImageOps

from remend.errors import MaskError, RemendError, UsageError, WriteError
from remend.io import encode_picture, read_picture, write_picture
from remend.io import write as write_module
from remend.picture import Picture


def exif(orientation):
    return b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg(orientation=1, mode="RGB"):
    y, x = np.mgrid[:40, :56]
    samples = np.stack([x * 4, y * 6, 255 - x * 3], axis=-1).astype(np.uint8)
    target = io.BytesIO()
    image = Image.fromarray(samples).convert(mode)
    image.save(target, "JPEG", quality=95, subsampling=0, exif=exif(orientation))
    return target.getvalue()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.jpg"
    path.write_bytes(jpeg())
    return path


def hole(picture):
    mask = np.zeros(picture.size, bool)
    mask[4:12, 5:20] = True
    return mask


def left_over(folder):
    return [f.name for f in folder.iterdir() if f.name.startswith(".")]


def test_an_empty_mask_copies_the_file(source, tmp_path):
    picture = read_picture(source)
    written = write_picture(picture, tmp_path / "out.jpg", changed=np.zeros(picture.size, bool))
    assert written.path.read_bytes() == source.read_bytes()
    assert written.format == "jpeg"
    assert left_over(tmp_path) == []


def test_the_source_is_the_target(source):
    source.chmod(0o640)
    picture = read_picture(source)
    mask = hole(picture)
    picture.samples[mask] = 200
    with pytest.raises(WriteError, match="--overwrite"):
        write_picture(picture, source, changed=mask)
    write_picture(picture, source, changed=mask, overwrite=True)
    assert abs(read_picture(source).samples[mask].mean() - 200) < 3
    assert stat.S_IMODE(source.stat().st_mode) == 0o640
    assert left_over(source.parent) == []


def test_over_itself_the_format_stays_whatever_the_name(tmp_path):
    path = tmp_path / "really-a-jpeg.png"
    path.write_bytes(jpeg())
    picture = read_picture(path)
    mask = hole(picture)
    assert write_picture(picture, path, changed=mask, overwrite=True).format == "jpeg"
    assert path.read_bytes()[:2] == b"\xff\xd8"


def test_a_link_is_written_through(source, tmp_path):
    link = tmp_path / "link.jpg"
    link.symlink_to(source.name)
    picture = read_picture(link)
    write_picture(picture, link, changed=hole(picture), overwrite=True)
    assert link.is_symlink()
    assert not source.is_symlink()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_goes_back_where_it_came_from(orientation, tmp_path):
    data = jpeg(orientation)
    picture = read_picture(data)
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert picture.size == (shown.height, shown.width)
    mask = hole(picture)
    picture.samples[mask] = (255, 0, 0)
    encoded = encode_picture(picture, changed=mask)
    result = Image.open(io.BytesIO(encoded.data))
    assert result.getexif()[0x0112] == orientation
    red = np.asarray(ImageOps.exif_transpose(result))
    assert (red[mask][:, 0] > 215).all()
    assert (red[mask][:, 1:] < 70).all()
    far = ~mask
    far[:24, :32] = False
    assert np.array_equal(red[far], np.asarray(shown)[far])


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("format", ["png", "tiff", "webp", "bmp"])
def test_another_format_is_upright(orientation, format, tmp_path):
    pytest.importorskip(f"remend.io.{format}")
    data = jpeg(orientation)
    picture = read_picture(data)
    target = tmp_path / f"out.{format}"
    assert write_picture(picture, target, changed=hole(picture)).format == format
    back = read_picture(target)
    assert back.container.orientation == 1
    assert back.size == picture.size
    if format in {"png", "tiff", "bmp"}:
        assert np.array_equal(back.samples, picture.samples)
    with Image.open(target) as seen:  # and for everybody else
        assert ImageOps.exif_transpose(seen).size == (picture.width, picture.height)


def test_jpeg_into_jpeg_named_otherwise_keeps_the_blocks(source, tmp_path):
    picture = read_picture(source)
    written = write_picture(picture, tmp_path / "out.JPE", changed=np.zeros(picture.size, bool))
    assert written.path.read_bytes() == source.read_bytes()
    written = write_picture(picture, tmp_path / "no-ending", changed=hole(picture))
    assert written.format == "jpeg"


def test_what_the_format_should_be_must_be_told(tmp_path):
    picture = Picture(np.zeros((8, 8, 3), np.uint8), "RGB")
    mask = np.ones((8, 8), bool)
    with pytest.raises(UsageError, match="ending"):
        write_picture(picture, tmp_path / "out", changed=mask)
    with pytest.raises(UsageError, match=r"\.xyz"):
        write_picture(picture, tmp_path / "out.xyz", changed=mask)
    with pytest.raises(UsageError, match="no format named"):
        write_picture(picture, tmp_path / "out.jpg", changed=mask, format="xyz")
    assert write_picture(picture, tmp_path / "odd.name", changed=mask, format="jpg").format == "jpeg"
    assert write_picture(picture, tmp_path / "out.jpg", changed=mask).format == "jpeg"
    with pytest.raises(MaskError):
        encode_picture(picture, changed=np.ones((4, 4), bool), format="jpeg")


def test_no_overwrite_holds_in_a_race(source, tmp_path, monkeypatch):
    """A file that appears while the picture is being encoded is not lost."""
    target = tmp_path / "out.jpg"
    picture = read_picture(source)
    encode = write_module.encode_picture

    def slow(*args, **options):
        encoded = encode(*args, **options)
        target.write_bytes(b"somebody else's")
        return encoded

    monkeypatch.setattr(write_module, "encode_picture", slow)
    with pytest.raises(WriteError, match="exists already"):
        write_picture(picture, target, changed=hole(picture))
    assert target.read_bytes() == b"somebody else's"
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("links", [True, False])
def test_of_many_writers_one_wins(source, tmp_path, monkeypatch, links):
    if not links:  # file systems such as FAT
        monkeypatch.setattr(os, "link", lambda *a: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
    picture = read_picture(source)
    target, outcomes = tmp_path / "out.jpg", []

    def write():
        try:
            write_picture(picture, target, changed=hole(picture))
            outcomes.append("written")
        except WriteError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 5 + ["written"]
    assert read_picture(target).size == picture.size
    assert left_over(tmp_path) == []


def test_a_full_disk_leaves_nothing_behind(source, tmp_path, monkeypatch):
    picture = read_picture(source)
    target = tmp_path / "out.jpg"
    target.write_bytes(b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left") as caught:
        write_picture(picture, target, changed=hole(picture), overwrite=True)
    assert "\n" not in str(caught.value)
    assert target.read_bytes() == b"old"
    assert left_over(tmp_path) == []


def test_places_that_cannot_be_written(source, tmp_path):
    picture = read_picture(source)
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    for target in (
        tmp_path / "no" / "such" / "folder.jpg",
        source / "below-a-file.jpg",
        tmp_path / ("x" * 300 + ".jpg"),
        loop,
    ):
        for overwrite in (False, True):
            with pytest.raises(WriteError) as caught:
                write_picture(picture, target, changed=hole(picture), overwrite=overwrite)
            assert "\n" not in str(caught.value)
    folder = tmp_path / "folder.jpg"
    folder.mkdir()
    with pytest.raises(WriteError, match="folder"):
        write_picture(picture, folder, changed=hole(picture), overwrite=True)
    assert left_over(tmp_path) == []


def test_a_source_that_changed_meanwhile_is_noticed(source, tmp_path):
    picture = read_picture(source)
    source.write_bytes(jpeg(mode="L"))
    with pytest.raises(WriteError, match="changed"):
        write_picture(picture, tmp_path / "out.jpg", changed=hole(picture))
    source.unlink()
    with pytest.raises(WriteError, match="changed"):
        write_picture(picture, tmp_path / "out.jpg", changed=hole(picture))


def test_names_of_all_kinds(source, tmp_path):
    picture = read_picture(source)
    for name in ("-o.jpg", "two\nlines.jpg", "ü.jpg", "a.b.c.jpg"):
        assert write_picture(picture, tmp_path / name, changed=hole(picture)).path.is_file()


def test_permissions_follow_the_umask(source, tmp_path):
    picture = read_picture(source)
    before = os.umask(0o027)
    try:
        path = write_picture(picture, tmp_path / "out.jpg", changed=hole(picture)).path
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_every_failure_is_ours(source, tmp_path):
    picture = read_picture(source)
    with pytest.raises(RemendError):
        write_picture(picture, "\0", changed=hole(picture))
