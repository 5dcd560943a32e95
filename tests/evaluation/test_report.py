"""Reports: every figure in every format, a page that asks for nothing, names that cannot break out."""

import base64
import csv
import io
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from remend.errors import WriteError
from remend.evaluation.gallery import Gallery
from remend.evaluation.pairs import find_pairs
from remend.evaluation.report import as_html, write_report
from remend.evaluation.run import evaluate
from remend.evaluation.tables import as_csv, as_json, table


@pytest.fixture
def made(tmp_path: Path, save, picture, hole):
    for seed, name in enumerate(("a", "b</script><b>")):
        path = name.replace("/", "")
        save(f"p/{path}.png", picture(seed))
        save(f"p/{path}_mask.png", hole)

    def fill(image: np.ndarray, where: np.ndarray, method: str) -> np.ndarray:
        if method == "never":
            raise RuntimeError("no <b>model</b>")
        out = image.copy()
        out[where] = int(method)
        return out

    gallery = Gallery(side_px=16)
    pairs = find_pairs(tmp_path / "p").pairs
    return evaluate(pairs, ["128", "255", "never"], restore=fill, observer=gallery.see), gallery


def embedded(page: str) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_csv_has_a_row_a_pair_and_method(made) -> None:
    evaluation, _ = made
    rows = list(csv.DictReader(io.StringIO(as_csv(evaluation))))
    assert len(rows) == 6
    assert float(rows[0]["psnr_hole"]) == evaluation.scores[0].metrics["psnr_hole"]
    assert rows[2]["psnr_hole"] == ""
    assert rows[2]["error"] == "RuntimeError: no <b>model</b>"
    assert {row["protocol"] for row in rows} == {evaluation.protocol.short}


def test_json_is_strict_and_complete(made) -> None:
    evaluation, _ = made
    text = json.dumps(as_json(evaluation), allow_nan=False)
    content = json.loads(text)
    assert content["protocol"]["sha256"] == evaluation.protocol.sha256
    assert [line["pictures"] for line in content["summary"]] == [2, 2, 0]
    assert content["summary"][2]["metrics"]["psnr"] is None
    assert content["scores"][1]["metrics"]["l1"] == evaluation.scores[1].metrics["l1"]


def test_html_asks_for_nothing_and_holds_every_picture(made) -> None:
    evaluation, gallery = made
    page = as_html(evaluation, gallery, title="Two pairs")
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert "default-src 'none'" in page
    content = embedded(page)
    assert content["title"] == "Two pairs"
    assert len(content["scores"]) == 6
    pictures = content["pictures"]["a"]
    assert set(pictures) == {"input", "mask", "truth", "output:128", "output:255"}
    assert all(uri.startswith("data:image/webp;base64,") for uri in pictures.values())


def test_a_small_hole_is_shown_from_near(tmp_path: Path, save, hole) -> None:
    large = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    mask = np.zeros((400, 600), np.uint8)
    mask[200:204, 500:510] = 255
    save("l/x.png", large), save("l/x_mask.png", mask)
    gallery = Gallery(side_px=300)
    evaluate(tmp_path / "l", ["m"], restore=lambda image, hole, method: image, observer=gallery.see)
    data = base64.b64decode(gallery.pictures["x"]["mask"].partition(",")[2])
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shown.shape == (4 + 2 * 48, 10 + 2 * 48)
    assert (shown > 128).sum() >= 30


def test_names_cannot_break_out_of_the_page(made) -> None:
    evaluation, gallery = made
    page = as_html(evaluation, gallery)
    assert page.count("</script>") == 2
    assert "<b>model" not in page
    assert "{{data}}" not in page


def test_table_marks_the_best_and_carries_the_hash(made) -> None:
    from rich.console import Console

    evaluation, _ = made
    console = Console(file=io.StringIO(), width=200, record=True)
    console.print(table(evaluation))
    text = console.export_text()
    assert evaluation.protocol.short in text
    assert "never" in text
    assert text.count("–") >= 8  # the method that never answered


def test_write_report_into_a_folder_or_one_file(tmp_path: Path, made) -> None:
    evaluation, gallery = made
    written = write_report(evaluation, gallery, tmp_path / "r")
    assert sorted(path.name for path in written) == ["report.html", "report.json", "scores.csv"]
    assert json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))["scores"]
    assert write_report(evaluation, gallery, tmp_path / "one.csv") == (tmp_path / "one.csv",)
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [
        "report.html",
        "report.json",
        "scores.csv",
    ]


def test_never_overwrites_unasked(tmp_path: Path, made) -> None:
    evaluation, gallery = made
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "scores.csv").write_text("mine")
    with pytest.raises(WriteError, match="exists already"):
        write_report(evaluation, gallery, tmp_path / "r")
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["scores.csv"]
    write_report(evaluation, gallery, tmp_path / "r", overwrite=True)
    assert (tmp_path / "r" / "scores.csv").read_text() != "mine"


def test_an_unwritable_place(tmp_path: Path, made) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="cannot be made"):
        write_report(*made, tmp_path / "file" / "r")
