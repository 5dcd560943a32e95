"""Comparisons of reports: refused where they were not measured on the same."""

import json
from pathlib import Path

import numpy as np
import pytest

from remend.errors import EvaluationError
from remend.evaluation.comparison import compare, read_report
from remend.evaluation.pairs import find_pairs
from remend.evaluation.run import evaluate
from remend.evaluation.tables import as_json

LEVELS = {"low": 0, "middle": 128, "high": 255}


@pytest.fixture
def report(tmp_path: Path, save, hole):
    rng = np.random.default_rng(0)
    for name in "abcdefgh":
        save(f"p/{name}.png", rng.integers(90, 160, (24, 32, 3), np.uint8))
        save(f"p/{name}_mask.png", hole)

    def fill(image, where, method):
        out = image.copy()
        out[where] = LEVELS[method]
        return out

    def write(file: str, methods: list[str], *, skip: int = 0, **settings):
        pairs = find_pairs(tmp_path / "p").pairs[skip:]
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(as_json(evaluate(pairs, methods, restore=fill, **settings))))
        return path

    return write


def test_methods_of_two_reports_are_paired(report):
    one, two = read_report(report("a.json", ["low"])), read_report(report("b.json", ["middle", "high"]))
    found = compare([one, two])
    assert found.methods == ("low", "middle", "high")
    assert found.protocol == one.sha256 == two.sha256
    gap = {d.second: d.by_metric["psnr_hole"] for d in found.analysis.differences if d.bucket == "all"}
    assert gap["middle"].low > 5
    truth = [s.metrics["psnr_hole"] for s in two.scores if s.method == "middle"]
    base = [s.metrics["psnr_hole"] for s in one.scores]
    assert gap["middle"].value == pytest.approx(np.mean(truth) - np.mean(base))
    assert {group.bucket for group in found.analysis.groups} == {"all", ".1–.2", "no border"}


def test_a_folder_is_its_report_and_names_are_told_apart(report):
    report("a/report.json", ["low"])
    report("b/report.json", ["low"])
    found = compare(
        [read_report(report("a/report.json", ["low"]).parent), read_report(report("b/report.json", ["low"]))]
    )
    assert found.methods == ("low (a)", "low (b)")
    gap = found.analysis.differences[0].by_metric["psnr_hole"]
    assert (gap.value, gap.clear) == (0, False)


def test_other_pictures_are_refused_unless_forced(tmp_path, report, save, hole):
    one = read_report(report("a.json", ["low"]))
    fewer = read_report(report("b.json", ["high"], skip=1))
    with pytest.raises(EvaluationError, match=r"1 pairs are in one of them only, such as a; .* --force"):
        compare([one, fewer])
    forced = compare([one, fewer], force=True)
    assert forced.protocol is None
    assert forced.analysis.groups[0].pictures == 7
    assert "forced" in forced.warnings[0]
    hole[0, 0] = 255
    save("p/c_mask.png", hole)
    with pytest.raises(EvaluationError, match="the mask of c is another"):
        compare([one, read_report(report("c.json", ["high"]))])


def test_other_rules_and_settings(report):
    one = read_report(report("a.json", ["low"]))
    seeded = read_report(report("s.json", ["high"], seed=5))
    with pytest.raises(EvaluationError, match="the seeds differ"):
        compare([one, seeded])
    path = report("r.json", ["high"])
    content = json.loads(path.read_text())
    content["protocol"]["rules"]["pd"] = "other weights"
    content["protocol"]["sha256"] = "0" * 64
    path.write_text(json.dumps(content))
    with pytest.raises(EvaluationError, match="the rules of pd differ"):
        compare([one, read_report(path)])
    found = compare([one, read_report(report("q.json", ["high"], quality="best"))])
    assert "quality balanced, seed 0 and with quality best, seed 0" in found.warnings[0]


def test_baselines(report):
    one = read_report(report("a.json", ["low", "middle"]))
    assert compare([one], baseline="middle").methods == ("middle", "low")
    with pytest.raises(EvaluationError, match="no method 'no' in the reports: choose low, middle"):
        compare([one], baseline="no")
    with pytest.raises(EvaluationError, match="only low"):
        compare([read_report(report("b.json", ["low"]))])


def test_what_is_no_report(tmp_path):
    for name, text, words in (("a", "{", "no JSON"), ("b", "{}", "no report"), ("c", "[]", "no report")):
        (tmp_path / name).write_text(text)
        with pytest.raises(EvaluationError, match=words):
            read_report(tmp_path / name)
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_report(tmp_path / "missing.json")
