import gzip
import hashlib
import io
import json
import tarfile

import numpy as np
import pytest

from remend.errors import UsageError
from remend.train.data.sources import Record, list_records, open_source, write_shards


def tar_of(path, members):
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_members_of_one_key_describe_its_picture(plant, tmp_path):
    data = plant(tmp_path / "a.png").read_bytes()
    facts = {"labels": ["coast"], "attributes": {"Smiling": True}, "landmarks": [[1, 2], [3, 4.5]]}
    shard = tar_of(
        tmp_path / "web-000.tar",
        [
            ("n/0001.json", json.dumps(facts).encode()),
            ("n/0001.png", data),
            ("n/0002.seg.png", data),
            ("n/0002.cls", b"7\n"),
        ],
    )
    plain, full = open_source(shard), open_source(shard, annotations=True)
    assert [r.name for r in plain.records] == ["web-000/n/0001.png", "web-000/n/0002.seg.png"]
    assert all(not r.labels for r in plain.records)
    first, second = full.records
    assert (first.labels, dict(first.attributes)) == (("coast",), {"Smiling": True})
    assert first.landmarks.tolist() == [[1, 2], [3, 4.5]]
    assert second.labels == ("7",)
    assert np.array_equal(first.pixels(), second.pixels())


def test_shards_are_written_as_they_are_and_read_back(plant, tmp_path):
    for number in range(7):
        plant(tmp_path / "photos" / f"{number}.png", size=(40, 40))
    records = list_records([tmp_path / "photos"]).records
    records.append(Record("cifar/1", np.full((32, 32, 3), 9, np.uint8), ("frog",)))
    made = [write_shards(records, tmp_path / out, prefix="mine", most_mib=0.02) for out in ("one", "two")]
    assert len(made[0]) > 1
    assert all(path.stat().st_size <= 0.02 * 2**20 for path in made[0])
    digests = [[hashlib.sha256(path.read_bytes()).hexdigest() for path in paths] for paths in made]
    assert digests[0] == digests[1]  # the same records, the same bytes
    back = list_records(made[0], annotations=True).records
    assert len(back) == 8
    for record, again in zip(records, back, strict=True):
        assert np.array_equal(record.pixels(), again.pixels())
    assert back[-1].labels == ("frog",)
    with tarfile.open(made[0][0]) as tar:
        assert tar.extractfile("000000000.png").read() == (tmp_path / "photos" / "0.png").read_bytes()
        assert json.load(tar.extractfile("000000000.json")) == {"name": "photos/0.png"}
    with pytest.raises(UsageError, match="holds shards mine-"):
        write_shards(records, tmp_path / "one", prefix="mine")


def test_shards_that_cannot_be_used(plant, tmp_path):
    data = plant(tmp_path / "a.png").read_bytes()
    whole = tar_of(tmp_path / "whole.tar", [("a.png", data), ("b.png", data)])
    (tmp_path / "cut.tar").write_bytes(
        whole.read_bytes()[: 512 * 2 + -(-len(data) // 512) * 512 + len(data) // 2]
    )
    (tmp_path / "zipped.tar").write_bytes(gzip.compress(whole.read_bytes()))
    tar_of(tmp_path / "outer.tar", [("n01440764.tar", whole.read_bytes())])
    for name, said in (("cut", "broken"), ("zipped", "it is compressed"), ("outer", "a tar of tars")):
        with pytest.raises(UsageError, match=said):
            open_source(tmp_path / f"{name}.tar")
