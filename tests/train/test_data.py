import tarfile

import numpy as np
import pytest

from remend.errors import UsageError
from remend.train.config import Data
from remend.train.data.masks import GROUPS, MaskBank
from remend.train.data.pictures import read_pictures
from remend.train.data.samples import Sampler, validation_samples


def test_folders_and_shards_give_the_same_pictures(photos, tmp_path):
    shard = tmp_path / "photos-000.tar"
    with tarfile.open(shard, "w") as tar:
        for path in sorted(photos.iterdir()):
            tar.add(path, path.name)
    folder, tarred = (read_pictures([source], least_px=64) for source in (photos, shard))
    assert len(folder) == len(tarred) == 12
    assert tarred.groups == {"photos": 12}
    for index in range(12):
        assert np.array_equal(folder[index], tarred[index])


def test_what_does_not_fit_into_memory_is_decoded_at_each_use(photos):
    kept = read_pictures([photos], least_px=64)
    encoded = read_pictures([photos], least_px=64, memory_gib=0)
    assert encoded.nbytes < kept.nbytes
    assert np.array_equal(kept[3], encoded[3])


def test_small_and_broken_files_are_skipped_and_named(photos):
    (photos / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    (photos / "empty.png").write_bytes(b"")
    pictures = read_pictures([photos], least_px=64)
    assert len(pictures) == 12
    assert sorted(line.split(":")[0] for line in pictures.skipped) == [
        "photos/broken.jpg",
        "photos/empty.png",
    ]
    with pytest.raises(UsageError, match=r"no pictures in .* smaller than 500 px"):
        read_pictures([photos], least_px=500)


def test_sources_that_are_not_there_or_broken(photos, tmp_path):
    with pytest.raises(UsageError, match=r"neither a folder nor a \.tar shard"):
        read_pictures([tmp_path / "nowhere"], least_px=64)
    (tmp_path / "bad.tar").write_bytes(b"x" * 600)
    with pytest.raises(UsageError, match="is broken"):
        read_pictures([tmp_path / "bad.tar"], least_px=64)


def test_the_split_depends_on_names_alone(photos):
    rest, aside = read_pictures([photos], least_px=64).split(300)
    assert len(aside) == 1  # at most a tenth
    (photos / "11.png").unlink()
    again = read_pictures([photos], least_px=64).split(300)[1]
    assert again.names == aside.names or aside.names == ("photos/11.png",)
    assert not set(rest.names) & set(aside.names)


def test_a_sample_is_a_function_of_seed_and_index(photos):
    pictures = read_pictures([photos], least_px=64)
    one = Sampler(pictures, Data(crop_px=64), 3, MaskBank(3, size=3))
    other = Sampler(pictures, Data(crop_px=64), 3, MaskBank(3, size=3))
    order = [7, 0, 3]
    first = {index: one(index) for index in order}
    for index in sorted(order):  # asked for in another order, from a fresh bank
        sample = other(index)
        for name in ("image", "target", "hole"):
            assert np.array_equal(getattr(sample, name), getattr(first[index], name))
    assert not np.array_equal(
        first[0].image, Sampler(pictures, Data(crop_px=64), 4, MaskBank(4, size=3))(0).image
    )


def test_the_draws_of_the_default_recipe_stay_for_good():
    """What sample 1,000 of seed 5 was when the first runs were made; they are resumed by number alone."""
    asked = []

    class Recorded:
        def __len__(self):
            return 50

        def usable(self, index):
            asked.append(index)
            return "", np.full((300, 300, 3), 128, np.uint8)

    sampler = Sampler(Recorded(), Data(), 5, MaskBank(5, size=2))
    groups = [sampler(index).group for index in range(1000, 1008)]
    assert asked == [29, 15, 17, 18, 36, 5, 2, 2]
    assert groups == ["large", "thin", "thin", "box", "large", "thin", "large", "large"]


def test_known_pixels_are_wanted_as_they_are_found(photos):
    pictures = read_pictures([photos], least_px=64)
    sampler = Sampler(pictures, Data(crop_px=64, jpeg=1.0, grain=1.0), 0, MaskBank(0, size=3))
    for index in range(8):
        sample = sampler(index)
        assert sample.image.shape == (64, 64, 3)
        assert np.array_equal(sample.image[~sample.hole], sample.target[~sample.hole])
        assert not sample.image[sample.hole].any()


def test_the_mix_of_holes_and_their_ratios(photos):
    pictures = read_pictures([photos], least_px=64)
    sampler = Sampler(pictures, Data(crop_px=64, jpeg=0, grain=0), 0, MaskBank(0, size=4))
    samples = [sampler(index) for index in range(300)]
    shares = {name: np.mean([s.group == name for s in samples]) for name in GROUPS}
    for name, share in {"thin": 0.4, "free_form": 0.3, "box": 0.15, "large": 0.15}.items():
        assert abs(shares[name] - share) < 0.1
    for sample in samples:
        assert sample.hole.any()
        assert not sample.hole.all()
    large = [s.hole.mean() for s in samples if s.group == "large"]
    assert 0.5 <= min(large) <= max(large) <= 0.75


def test_validation_samples_are_fixed(photos):
    pictures = read_pictures([photos], least_px=64)
    one, two = (validation_samples(pictures, 64) for _ in range(2))
    assert {s.group for s in one} == {"thin", "free_form", "centre"}
    assert all(np.array_equal(a.hole, b.hole) for a, b in zip(one, two, strict=True))
