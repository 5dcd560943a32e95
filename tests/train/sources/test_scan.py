import json
import shutil

import cv2

from remend.train.data.sources import scan


def test_the_report(photos, tmp_path):
    shutil.copy(photos / "03.png", photos / "copy.png")
    picture = cv2.imread(str(photos / "05.png"))
    cv2.imwrite(str(photos / "again.jpg"), cv2.resize(picture, (144, 120)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    jpeg = (photos / "again.jpg").read_bytes()
    (photos / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    cv2.imwrite(str(photos / "tiny.png"), picture[:20, :20])
    held = tmp_path / "held"
    held.mkdir()
    cv2.imwrite(str(held / "leak.webp"), cv2.imread(str(photos / "07.png"))[1:, 1:])
    counted = []
    report = scan(
        [photos], least_px=64, against=[held], validation=1, progress=lambda *done: counted.append(done)
    )
    assert report.usable == 14
    assert report.groups == {"photos": 14}
    assert (report.sizes.least, report.sizes.median, report.sizes.largest) == (80, 80, 120)
    assert report.pixels == 3 * (13 * 96 * 80 + 144 * 120)
    assert len(report.broken) == 1
    assert report.broken[0].startswith("photos/cut.jpg: cannot be decoded")
    assert report.small == ("photos/tiny.png: 20×20, smaller than 64 px",)
    assert report.exact == (("photos/03.png", "photos/copy.png"),)
    assert report.near == (("photos/05.png", "photos/again.jpg"),)
    assert [(leak.first, leak.second) for leak in report.leaks] == [("photos/07.png", "held/leak.webp")]
    assert (report.held_out, report.ok) == (1, False)
    assert counted[-1] == (17, 17)
    assert json.loads(json.dumps(report.as_dict()))["problems"] == [
        "broken files: 1",
        "pictures that look like held-out ones: 1; leave them out",
    ]


def test_a_held_out_square_from_the_middle_is_found(photos, tmp_path):
    (tmp_path / "held").mkdir()
    cv2.imwrite(str(tmp_path / "held" / "square.png"), cv2.imread(str(photos / "09.png"))[:, 8:88])
    report = scan([photos], least_px=64, against=[tmp_path / "held"])
    assert [leak.first for leak in report.leaks] == ["photos/09.png"]


def test_copies_on_both_sides_of_the_split(photos):
    from remend.train.data.pictures import read_pictures

    aside = read_pictures([photos], least_px=64).split(1)[1].names[0]
    shutil.copy(photos / aside.split("/")[1], photos / "zz copy.png")
    report = scan([photos], least_px=64, validation=1)
    assert [(pair.first, pair.second, pair.exact) for pair in report.across] == [
        (aside, "photos/zz copy.png", True)
    ]
    assert report.ok


def test_good_pictures_have_no_problems(photos):
    report = scan([photos], least_px=64)
    assert report.ok
    assert report.problems == ()
    assert scan([photos], least_px=500).problems == ("no picture is usable",)
