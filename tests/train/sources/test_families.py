"""Each data set as its archives unpack, made small."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from remend.errors import UsageError
from remend.train.data.sources import list_records, open_source


def names(listing):
    return sorted(record.name for record in listing.records)


def by_name(listing):
    return {record.name.rsplit("/", 1)[-1]: record for record in listing.records}


def test_celeba(plant, tmp_path):
    root = tmp_path / "celeba"
    for number in (1, 2, 3):
        plant(root / "img_align_celeba" / f"{number:06d}.jpg")
    (root / "list_attr_celeba.txt").write_text(
        "3\nSmiling Young\n000001.jpg  1 -1\n000002.jpg -1  1\n000003.jpg 1 1\n"
    )
    (root / "list_landmarks_align_celeba.txt").write_text(
        "3\nlefteye_x lefteye_y nose_x nose_y\n"
        "000001.jpg 69 109 77 142\n000002.jpg 1 2 3 4\n000003.jpg 5 6 7 8\n"
    )
    (root / "list_landmarks_celeba.txt").write_text("1\nlefteye_x lefteye_y\n000001.jpg 165 184\n")
    (root / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg 0\n000003.jpg 2\n")
    listing = open_source(root, annotations=True)
    assert listing.family == "CelebA"
    assert names(listing) == ["celeba/img_align_celeba/000001.jpg", "celeba/img_align_celeba/000002.jpg"]
    assert "1 pictures of the validation and test parts" in listing.notes[0]
    first = by_name(listing)["000001.jpg"]
    assert dict(first.attributes) == {"Smiling": True, "Young": False}
    assert first.landmarks.tolist() == [[69, 109], [77, 142]]  # of the aligned pictures
    (root / "list_attr_celeba.txt").write_text("3\nSmiling Young\n000001.jpg 1\n")
    with pytest.raises(UsageError, match=r"the row of 000001\.jpg has not 2 numbers"):
        open_source(root, annotations=True)
    assert len(open_source(root).records) == 2  # training needs none of it


def test_celeba_hq_reaches_celeba_through_the_mapping(plant, tmp_path):
    root = tmp_path / "CelebAMask-HQ"
    for number in (0, 1):
        plant(root / "CelebA-HQ-img" / f"{number}.jpg")
    plant(root / "CelebAMask-HQ-mask-anno" / "0" / "00000_hair.png")
    (root / "CelebA-HQ-to-CelebA-mapping.txt").write_text(
        "idx orig_idx orig_file\n0 119612 119613.jpg\n1 99094 099095.jpg\n"
    )
    (root / "list_attr_celeba.csv").write_text("image_id,Smiling\n119613.jpg,1\n099095.jpg,-1\n")
    (root / "list_eval_partition.txt").write_text("119613.jpg 0\n099095.jpg 1\n")
    listing = open_source(root, annotations=True)
    assert names(listing) == ["CelebAMask-HQ/CelebA-HQ-img/0.jpg"]  # no drawing of hair, no validation
    assert dict(listing.records[0].attributes) == {"Smiling": True}
    assert listing.records[0].landmarks is None
    (root / "CelebAMask-HQ-attribute-anno.txt").write_text("1\nSmiling\n0.jpg  -1\n")
    assert dict(open_source(root, annotations=True).records[0].attributes) == {"Smiling": False}


def test_places(plant, tmp_path):
    root = tmp_path / "places"
    plant(root / "data_256" / "a" / "airfield" / "00000001.jpg")
    plant(root / "data_256" / "b" / "bazaar" / "indoor" / "00000002.jpg")
    plant(root / "val_256" / "Places365_val_00000001.jpg")
    lists = root / "filelist_places365-standard"
    lists.mkdir()
    (lists / "categories_places365.txt").write_text("/a/airfield 0\n/b/bazaar/indoor 44\n")
    (lists / "places365_val.txt").write_text("Places365_val_00000001.jpg 44\n")
    listing = open_source(root, annotations=True)
    assert (listing.family, len(listing.records)) == ("Places365", 2)
    assert {r.labels for r in listing.records} == {("airfield",), ("bazaar/indoor",)}
    assert "val_256 left" in listing.notes[0]
    # A list of the training part names files from the root of the pictures.
    train = root / "data_256" / "places365_train_standard.txt"
    train.write_text("/a/airfield/00000001.jpg 0\n")
    assert len(open_source(train).records) == 1
    for path in (root / "data_256").rglob("*.*"):
        path.unlink()
    for path in sorted((root / "data_256").rglob("*"), reverse=True):
        path.rmdir()
    (root / "data_256").rmdir()
    validation = open_source(root, annotations=True)
    assert [r.labels for r in validation.records] == [("bazaar/indoor",)]


def test_ffhq(plant, tmp_path):
    root = tmp_path / "ffhq"
    for number in (0, 59_999, 60_000):
        name = f"{number // 1000 * 1000:05d}/{number:05d}.png"
        plant(root / "images1024x1024" / name)
        plant(root / "thumbnails128x128" / name)
    facts = {
        str(n): {"image": {"face_landmarks": [[512.0, 256.0]]}, "in_the_wild": {"face_landmarks": [[9, 9]]}}
        for n in (0, 59_999, 60_000)
    }
    (root / "ffhq-dataset-v2.json").write_text(json.dumps(facts))
    listing = open_source(root, annotations=True)
    assert names(listing) == [f"ffhq/images1024x1024/{n}.png" for n in ("00000/00000", "59000/59999")]
    assert listing.records[0].landmarks.tolist() == [[512, 256]]
    assert len(listing.notes) == 2  # thumbnails, and the validation part
    for path in (root / "images1024x1024").rglob("*.png"):
        path.unlink()
    for path in sorted((root / "images1024x1024").iterdir()):
        path.rmdir()
    (root / "images1024x1024").rmdir()
    small = open_source(root, annotations=True)
    assert small.records[0].landmarks.tolist() == [[64, 32]]
    (root / "ffhq-dataset-v2.json").write_text('{"0": {}}')
    with pytest.raises(UsageError, match="not as published"):
        open_source(root, annotations=True)


@pytest.mark.parametrize("inner", [".", "ILSVRC/Data/CLS-LOC"])
def test_imagenet(plant, tmp_path, inner):
    root = tmp_path / "imagenet"
    plant(root / inner / "train" / "n01440764" / "n01440764_10026.JPEG")
    plant(root / inner / "val" / "ILSVRC2012_val_00000001.JPEG")
    (root / "LOC_synset_mapping.txt").write_text("n01440764 tench, Tinca tinca\nn01443537 goldfish\n")
    listing = open_source(root, annotations=True)
    prefix = "imagenet/" if inner == "." else f"imagenet/{inner}/"
    assert names(listing) == [f"{prefix}train/n01440764/n01440764_10026.JPEG"]
    assert listing.records[0].labels == ("n01440764", "tench, Tinca tinca")
    assert listing.records[0].pixels().shape == (24, 32, 3)
    assert "val left" in listing.notes[0]


def test_imagenet_validation_is_flat_and_labelled_from_above(plant, tmp_path):
    for number in (1, 2):
        plant(tmp_path / "val" / f"ILSVRC2012_val_{number:08d}.JPEG")
    (tmp_path / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\n"
        "ILSVRC2012_val_00000002,n01443537 1 2 3 4 n01443537 5 6 7 8\n"
        "ILSVRC2012_val_00000001,n01440764 85 1 499 272\n"
    )
    (tmp_path / "val" / "ILSVRC2012_validation_ground_truth.txt").write_text("490\n361\n")
    found = by_name(open_source(tmp_path / "val", annotations=True))
    assert found["ILSVRC2012_val_00000001.JPEG"].labels == ("n01440764",)
    assert found["ILSVRC2012_val_00000002.JPEG"].labels == ("n01443537",)
    (tmp_path / "LOC_val_solution.csv").unlink()
    found = by_name(open_source(tmp_path / "val", annotations=True))
    assert found["ILSVRC2012_val_00000002.JPEG"].labels == ("ILSVRC2012_ID 361",)


def test_coco(plant, tmp_path):
    root = tmp_path / "coco"
    plant(root / "train2017" / "000000000009.jpg")
    plant(root / "unlabeled2017" / "000000000001.jpg")
    plant(root / "val2017" / "000000000139.jpg")
    facts = {
        "images": [{"id": 9, "file_name": "000000000009.jpg", "width": 32, "height": 24}],
        "categories": [{"id": 51, "name": "bowl"}, {"id": 1, "name": "person"}],
        "annotations": [
            {"image_id": 9, "category_id": 51, "bbox": [4, 6, 8, 10], "iscrowd": 0,
             "segmentation": [[4, 6, 12, 6, 12, 16, 4, 16]]},
            {"image_id": 9, "category_id": 1, "bbox": [0, 0, 32, 12], "iscrowd": 1,
             "segmentation": {"counts": [0, 12, 756], "size": [24, 32]}},
        ],
    }  # fmt: skip
    (root / "annotations").mkdir()
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(facts))
    listing = open_source(root, annotations=True)
    assert names(listing) == ["coco/train2017/000000000009.jpg", "coco/unlabeled2017/000000000001.jpg"]
    assert "val2017 left for measuring" in listing.notes[0]
    record = by_name(listing)["000000000009.jpg"]
    assert record.labels == ("bowl", "person")
    bowl, crowd = record.objects
    assert bowl.box == (4, 6, 8, 10)
    box = np.zeros((24, 32), bool)
    box[6:16, 4:12] = True
    assert np.array_equal(bowl.mask((24, 32)), box)
    assert crowd.crowd
    assert crowd.mask((24, 32))[:12, 0].all()
    assert crowd.mask((24, 32)).sum() == 12
    part = open_source(root / "train2017", annotations=True)  # the part alone knows its annotations, too
    assert names(part) == ["train2017/000000000009.jpg"]
    assert part.records[0].labels == ("bowl", "person")
    (root / "annotations" / "instances_train2017.json").write_text('{"images": []}')
    with pytest.raises(UsageError, match="not as published"):
        open_source(root, annotations=True)


def test_cifar_10(tmp_path):
    root = tmp_path / "cifar-10-batches-bin"
    root.mkdir()
    rows = np.zeros((2, 3073), np.uint8)
    rows[:, 0] = (6, 9)
    rows[1, 1:1025] = 200  # the red plane
    rows[1, 1025] = 7  # green, top left
    for number in (1, 2):
        (root / f"data_batch_{number}.bin").write_bytes(rows.tobytes())
    (root / "test_batch.bin").write_bytes(rows.tobytes())
    (root / "batches.meta.txt").write_text(
        "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"
    )
    listing = list_records([root], annotations=True)
    assert [r.labels[0] for r in listing.records] == ["frog", "truck"] * 2
    picture = listing.records[1].pixels()
    assert picture.shape == (32, 32, 3)
    assert picture[0, 0].tolist() == [200, 7, 0]
    assert picture[5, 5].tolist() == [200, 0, 0]
    assert "left for measuring" in listing.notes[0]
    (root / "data_batch_2.bin").write_bytes(b"x" * 3072)
    with pytest.raises(UsageError, match="is no batch of CIFAR-10"):
        open_source(root)


@pytest.mark.parametrize("protocol", [2, 4])
def test_cifar_10_as_python_pickled_it_is_read_without_unpickling(protocol, tmp_path, monkeypatch):
    root = tmp_path / "cifar-10-batches-py"
    root.mkdir()
    rows = np.zeros((2, 3072), np.uint8)
    rows[1, :1024] = 200  # the red plane
    rows[1, 1024] = 7  # green, top left
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    for number in (1, 2):
        batch = {"batch_label": f"batch {number}", "labels": [6, 9], "data": rows, "filenames": ["a", "b"]}
        (root / f"data_batch_{number}").write_bytes(pickle.dumps(batch, protocol))
    (root / "test_batch").write_bytes(b"")
    meta = {"num_cases_per_batch": 2, "label_names": names, "num_vis": 3072}
    (root / "batches.meta").write_bytes(pickle.dumps(meta, protocol))
    for unpickle in ("loads", "load", "Unpickler"):
        monkeypatch.delattr(pickle, unpickle)
    listing = list_records([tmp_path], annotations=True)
    assert [r.labels[0] for r in listing.records] == ["frog", "truck"] * 2
    assert listing.records[1].pixels()[0, 0].tolist() == [200, 7, 0]
    assert listing.records[1].pixels()[5, 5].tolist() == [200, 0, 0]
    assert "left for measuring" in listing.notes[0]


class Hostile:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.mark.parametrize("content", [b"\x80\x04.", b"", b"no pickle at all", None])
def test_what_is_no_pickled_batch_is_refused_and_never_run(content, tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    written = content if content is not None else pickle.dumps({"data": Hostile(tmp_path / "ran")})
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(written)
    with pytest.raises(UsageError, match=r"take it from cifar-10-python\.tar\.gz again"):
        open_source(tmp_path)
    assert not (tmp_path / "ran").exists()
