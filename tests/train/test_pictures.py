import cv2
import numpy as np
import pytest

from remend.errors import DecodeError, UsageError
from remend.train.data import pictures as module
from remend.train.data.pictures import read_pictures
from remend.train.data.samples import validation_samples, validation_side


@pytest.fixture
def lazily(monkeypatch):
    """As if the folder held more pictures than are decoded at the start."""
    monkeypatch.setattr(module, "CHECKED", 3)


def test_of_many_pictures_headers_alone_are_read(photos, lazily, monkeypatch):
    (photos / "broken.png").write_bytes(b"no picture")
    (photos / "empty.jpg").write_bytes(b"")
    with monkeypatch.context() as patched:
        patched.setattr(module, "pixels_of", lambda *_: pytest.fail("decoded"))
        many = read_pictures([photos], least_px=64)
        assert many.nbytes == 0
    monkeypatch.setattr(module, "CHECKED", 100)
    few = read_pictures([photos], least_px=64)
    assert many.names == few.names  # the order is the same
    assert {line.split(":")[0] for line in many.skipped} == {line.split(":")[0] for line in few.skipped}
    assert all(np.array_equal(many[i], few[i]) for i in range(12))
    assert many.nbytes == few.nbytes  # what was used is kept, for there is room
    assert many[3] is many[3]


def test_memory_is_bounded(photos, lazily):
    room = 2.5 * 80 * 96 * 3
    many = read_pictures([photos], least_px=64, memory_gib=room / 2**30)
    rest, aside = many.split(1)
    for part in (rest, aside, rest):
        for index in range(len(part)):
            assert part[index].shape == (80, 96, 3)
    assert 0 < many.nbytes <= room
    assert rest.nbytes == many.nbytes  # one memory for both parts


def test_a_picture_that_broke_later_is_told_once_and_passed_over(photos):
    said = []
    pictures = read_pictures([photos], least_px=64, memory_gib=0, say=said.append)
    following = pictures[4]
    (photos / "03.png").write_bytes(b"")
    assert np.array_equal(pictures[3], following)
    assert np.array_equal(pictures[3], following)
    assert len(said) == 1
    assert said[0].startswith("photos/03.png: cannot be decoded")
    for path in photos.iterdir():
        path.unlink()
    with pytest.raises(DecodeError, match="is the folder still there"):
        pictures[0]


def test_few_are_nested_and_leave_the_validation_alone(photos):
    rest, aside = read_pictures([photos], least_px=64).split(1)
    three, five = rest.few(3), rest.few(5)
    assert len(three) == 3
    assert set(three.names) < set(five.names) < set(rest.names)
    assert not set(five.names) & set(aside.names)
    assert rest.few(0).names == rest.names == rest.few(100).names


def test_deduplicated(photos):
    (photos / "zz.png").write_bytes((photos / "02.png").read_bytes())
    assert len(read_pictures([photos], least_px=64)) == 13
    pictures = read_pictures([photos], least_px=64, deduplicate=True)
    assert len(pictures) == 12
    assert "photos/zz.png" not in pictures.names
    assert pictures.skipped == ("photos/zz.png: looks like photos/02.png",)


def test_excluded_by_name(photos, tmp_path):
    listed = tmp_path / "out.txt"
    listed.write_text("photos/03.png\n\nother/1.png\nphotos/04.png\n")
    pictures = read_pictures([photos], least_px=64, exclude=listed)
    assert len(pictures) == 10
    assert not {"photos/03.png", "photos/04.png"} & set(pictures.names)
    assert pictures.notes == ("2 pictures are left out as out.txt says",)
    with pytest.raises(UsageError, match="cannot be read as text"):
        read_pictures([photos], least_px=64, exclude=tmp_path / "none.txt")


def test_a_truncated_jpeg_is_not_learned_from(photos):
    import cv2

    data = cv2.imencode(".jpg", cv2.imread(str(photos / "01.png")))[1].tobytes()
    (photos / "whole.jpg").write_bytes(data + b"\0" * 9)
    (photos / "cut.jpg").write_bytes(data[: len(data) * 2 // 3])
    pictures = read_pictures([photos], least_px=64)
    assert "photos/whole.jpg" in pictures.names
    assert [line.split(":")[0] for line in pictures.skipped] == ["photos/cut.jpg"]


def test_the_order_and_the_split_of_folders_and_shards_stay_for_good(photos, tmp_path):
    """Runs are resumed from nothing but a seed and a position: what these are must never change."""
    import tarfile

    shard = tmp_path / "more-001.tar"
    with tarfile.open(shard, "w") as tar:
        for name in ("b/1.png", "a.png"):
            tar.add(photos / "00.png", name)
    pictures = read_pictures([photos, shard], least_px=64)
    assert pictures.names == (
        "more-001/a.png",
        "more-001/b/1.png",
        *(f"photos/{number:02d}.png" for number in range(12)),
    )
    assert pictures.groups == {"more": 2, "photos": 12}
    assert pictures.split(300)[1].names == ("more-001/b/1.png",)


@pytest.mark.parametrize("many", [False, True], ids=["decoded", "read at each use"])
def test_small_pictures_are_enlarged_where_that_is_asked_for(photos, many, monkeypatch):
    if many:
        monkeypatch.setattr(module, "CHECKED", 3)
    assert not read_pictures([photos], least_px=96, enlarge=True).skipped  # 80 × 96 each
    enlarged, own = (read_pictures([photos], least_px=n, enlarge=True) for n in (120, 64))
    assert {enlarged[i].shape for i in range(12)} == {(120, 144, 3)}
    assert own[3].shape == (80, 96, 3)
    small = cv2.resize(enlarged[3], (96, 80), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - own[3]).mean() < 2
    with pytest.raises(UsageError, match=r"enlarge them with --set data\.enlarge=true"):
        read_pictures([photos], least_px=120)


def test_validation_is_on_crops_as_large_as_most_pictures_allow(photos):
    pictures = read_pictures([photos], least_px=64)
    assert validation_side(pictures, 64, 64, 16) == 64
    assert validation_side(pictures, 176, 64, 32) == 64
    assert validation_side(pictures, 176, 64, 8) == 80
    cv2.imwrite(str(photos / "00.png"), np.zeros((64, 64, 3), np.uint8))
    samples = validation_samples(read_pictures([photos], least_px=64), 80)
    assert {sample.hole.shape for sample in samples} == {(80, 80)}
