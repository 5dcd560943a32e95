"""Parquet, zip, LMDB and folders of other kinds become shards, and what is passed over is counted."""

import io
import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from remend.cli.convert import convert
from remend.errors import UsageError
from remend.train.data.sources import Container, list_records, open_source


def picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (20, 24, 3), np.uint8)


def encoded(seed, suffix=".png"):
    return cv2.imencode(suffix, picture(seed)[..., ::-1])[1].tobytes()


def converted(source, out):
    answer = CliRunner().invoke(convert, [str(source), "-o", str(out)], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    found = open_source(out, annotations=True).records
    return sorted(found, key=lambda record: record.name), answer.stderr


def test_a_zip_becomes_shards_byte_for_byte_and_the_rest_is_counted(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sea/a.jpg", encoded(0, ".jpg"))
        archive.writestr("b.png", encoded(1))
        archive.writestr("readme.txt", "words")
    records, said = converted(path, tmp_path / "shards")
    assert [record.labels for record in records] == [(), ("sea",)]
    assert np.array_equal(records[0].pixels(), picture(1))
    with (tmp_path / "shards" / "photos-000000.tar").open("rb") as shard:
        assert encoded(0, ".jpg") in shard.read()
    assert "1 left out, first readme.txt: no picture" in said
    assert "2 pictures in 1 shard" in said


def test_tiff_of_sixteen_bits_and_bmp_become_eight(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    deep = picture(2).astype(np.uint16) * 257
    cv2.imwrite(str(folder / "a.tif"), deep[..., ::-1])
    (folder / "b.bmp").write_bytes(encoded(3, ".bmp"))
    (folder / "notes.txt").write_text("words")
    records, said = converted(folder, tmp_path / "shards")
    assert np.array_equal(records[0].pixels(), picture(2))
    assert np.array_equal(records[1].pixels(), picture(3))
    assert "1 left out" in said


def test_a_parquet_of_a_data_set_gives_pictures_and_the_names_of_classes(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="the extra is not installed: pip install '.[data]'")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"bytes": encoded(n), "path": f"{n}.png"} for n in range(3)] + [{"bytes": b"x", "path": "x"}]
    features = {"info": {"features": {"label": {"names": ["sea", "wood"], "_type": "ClassLabel"}}}}
    table = arrow.table({"image": rows, "label": [0, 1, 0, 1]})
    table = table.replace_schema_metadata({b"huggingface": json.dumps(features).encode()})
    parquet.write_table(table, tmp_path / "train-00000-of-00001.parquet")
    records, said = converted(tmp_path / "train-00000-of-00001.parquet", tmp_path / "shards")
    assert [record.labels for record in records] == [("sea",), ("wood",), ("sea",)]
    assert all(np.array_equal(record.pixels(), picture(n)) for n, record in enumerate(records))
    assert "1 left out" in said


def test_a_parquet_without_pictures_is_refused(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="the extra is not installed: pip install '.[data]'")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"words": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(UsageError, match=r"no column of .* holds encoded pictures"):
        list(Container(tmp_path / "x.parquet").records())


def test_an_lmdb_becomes_shards(tmp_path):
    lmdb = pytest.importorskip("lmdb", reason="the extra is not installed: pip install '.[data]'")
    with lmdb.open(str(tmp_path / "faces"), map_size=1 << 22) as store, store.begin(write=True) as turn:
        turn.put(b"000", encoded(4, ".webp"))
        turn.put(b"001", encoded(5))
        turn.put(b"length", b"2")
    records, said = converted(tmp_path / "faces", tmp_path / "shards")
    assert len(records) == 2
    assert np.array_equal(records[1].pixels(), picture(5))
    assert "1 left out, first length: no picture" in said


def test_shards_of_a_zip_are_learned_from(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}.png", encoded(number))
    converted(path, tmp_path / "shards")
    assert len(list_records([tmp_path / "shards"]).records) == 4


@pytest.mark.parametrize("name", ["x.parquet", "x.zip", "x.lmdb"])
def test_a_broken_file_is_one_line(name, tmp_path):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="the extra is not installed: pip install '.[data]'")
    if name.endswith("lmdb"):
        pytest.importorskip("lmdb", reason="the extra is not installed: pip install '.[data]'")
    path = tmp_path / name
    path.write_bytes(io.BytesIO(b"not at all" * 999).getvalue())
    with pytest.raises(UsageError, match="cannot be read as"):
        list(Container(path).records())


@pytest.mark.parametrize(("name", "module"), [("x.parquet", "pyarrow.parquet"), ("x.lmdb", "lmdb")])
def test_without_the_extra_one_line_says_what_to_install(name, module, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    Path(tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match=r"pip install 'remend\[data\]'"):
        list(Container(tmp_path / name).records())


def test_what_is_not_there_or_holds_nothing_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not there"):
        list(Container(tmp_path / "x.zip").records())
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("a.txt", "words")
    answer = CliRunner().invoke(convert, [str(tmp_path / "y.zip"), "-o", str(tmp_path / "shards")])
    assert "holds no pictures" in str(answer.exception)
