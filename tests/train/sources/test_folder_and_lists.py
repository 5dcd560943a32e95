from pathlib import Path

import pytest

from remend.errors import UsageError
from remend.train.data.sources import list_records, open_source
from remend.train.data.sources.folder import listing


def names(listing):
    return [record.name for record in listing.records]


def test_a_folder_is_walked_and_named_after_itself(plant, tmp_path):
    root = tmp_path / "photos"
    for name in ("b.png", "a/c.jpg", "a/deep/d.webp"):
        plant(root / name)
    (root / "a/deep/d.webp").rename(root / "a/deep/d.WEBP")
    (root / "notes.md").write_text("no picture")
    (root / "a" / "round").symlink_to(root)
    listing = list_records([root])
    assert listing.family == "folder"
    assert names(listing) == ["photos/a/c.jpg", "photos/a/deep/d.WEBP", "photos/b.png"]
    assert listing.records[0].source == "photos"
    assert listing.records[0].pixels().shape == (24, 32, 3)


def test_a_folder_given_as_a_dot_has_a_name(plant, tmp_path, monkeypatch):
    plant(tmp_path / "photos" / "a.png")
    monkeypatch.chdir(tmp_path / "photos")
    assert names(list_records([Path()])) == ["photos/a.png"]


def test_masks_beside_their_picture_are_no_pictures(plant, tmp_path):
    root = tmp_path / "pairs"
    for name in ("x.png", "x_mask001.png", "x_mask002.png", "y.jpg", "y_mask.png", "venetian_mask.png"):
        plant(root / name)
    listing = open_source(root)
    found = {record.name: [Path(m).name for m in record.masks] for record in listing.records}
    assert found == {
        "pairs/x.png": ["x_mask001.png", "x_mask002.png"],
        "pairs/y.jpg": ["y_mask.png"],
        "pairs/venetian_mask.png": [],  # a picture of a mask: there is no venetian.*
    }
    assert len(listing.notes) == 1
    assert "3 files named like masks" in listing.notes[0]
    assert "data.masks=" in listing.notes[0]


def test_one_name_from_two_sources_is_told(plant, tmp_path):
    for parent in ("one", "two"):
        plant(tmp_path / parent / "train" / "a.png")
    listing = list_records([tmp_path / "one" / "train", tmp_path / "two" / "train"])
    assert names(listing) == ["train/a.png"]
    assert "the later counts" in listing.skipped[0]
    same = list_records([tmp_path / "one" / "train"] * 2)
    assert same.skipped == ()


def test_a_list_of_paths(plant, tmp_path, monkeypatch):
    plant(tmp_path / "lists" / "near" / "a.png")
    far = plant(tmp_path / "far" / "with blank.png")
    plant(tmp_path / "b.jpg")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "lists" / "train.flist"
    path.write_text(f"# DeepFill's way\nnear/a.png\n\n{far} 17\nb.jpg\ngone.png\n")
    listing = open_source(path, annotations=True)
    assert names(listing) == ["train/near/a.png", f"train/{far.as_posix().lstrip('/')}", "train/b.jpg"]
    assert [record.labels for record in listing.records] == [(), ("17",), ()]
    assert listing.skipped == ("train/gone.png: not there",)
    assert all(record.pixels().shape == (24, 32, 3) for record in listing.records)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.flist",
            b"gone/1.png\ngone/2.png\n",
            r"none of the 2 files that .*, the first a/gone/1\.png",
        ),
        ("a.txt", b"\xff\xfe\x00", "cannot be read as text"),
        ("a.tar.gz", b"\x1f\x8b", "is compressed: unpack it"),
        ("a.pdf", b"%PDF", "neither a folder nor a .tar shard nor a list"),
    ],
)
def test_what_is_no_source(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=said):
        open_source(tmp_path / name)


def test_pictures_of_other_formats_are_told_and_not_passed_over_in_silence(tmp_path):
    for name in ("a.tif", "b.TIFF", "c.nef", ".hidden.tif", "notes.txt"):
        (tmp_path / name).write_bytes(b"II*\0")
    found = listing(tmp_path)
    assert not found.records
    (note,) = found.notes
    assert "3 files left alone: .nef .tif .tiff" in note


def test_links_to_folders_are_told(plant, tmp_path):
    plant(tmp_path / "elsewhere/linked.png")
    plant(tmp_path / "photos/a.png")
    (tmp_path / "photos/more").symlink_to(tmp_path / "elsewhere")
    found = listing(tmp_path / "photos")
    assert names(found) == ["photos/a.png"]
    assert "1 links to folders are not followed, such as more: give those folders" in found.notes[0]
