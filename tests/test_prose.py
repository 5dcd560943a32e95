"""What the documents say of options and of what `auto` takes is what the tables say."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from remend.fill.registry import ENTRIES
from remend.options import QUALITIES
from remend.plan.policy import POLICIES, Looks

ROOT = Path(__file__).parents[1]
# The log and the benchmarks tell what was, not what is.
PAGES = [ROOT / "README.md"] + [
    page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name not in ("log.md", "benchmarks.md")
]
# How a kind of filler is spoken of, and what is in its names.
KINDS = {"net": "neural", "cop": "exemplar", "smooth": "smooth"}


def fillers(quality: str) -> set[str]:
    return {rung.filler for rung in POLICIES[quality].rungs}


def uses(quality: str, kind: str) -> bool:
    return any(KINDS[kind] in name for name in fillers(quality))


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_summary_of_a_quality_names_the_kinds_of_its_fillers(quality):
    for kind in KINDS:
        assert (re.search(rf"\b{kind}", QUALITIES[quality]) is not None) == uses(quality, kind), kind


def claims() -> list[tuple[str, str, str]]:
    """Page, quality and line, for every line that speaks of one quality."""
    found = []
    for page in PAGES:
        for line in page.read_text("utf-8").splitlines():
            named = set(re.findall(r"(?:--quality |quality=\"?)(\w+)", line)) & set(QUALITIES)
            found += [(page.name, named.pop(), line)] if len(named) == 1 else []
    return found


def test_lines_about_a_quality_are_true_of_its_policy():
    told = claims()
    assert len(told) >= 6  # the README's table, and more
    for page, quality, line in told:
        if re.search(r"\bno nets?\b|without (a )?nets?\b", line):
            assert not uses(quality, "net"), f"{page}: {line}"
        if re.search(r"\bfog\b|without texture", line):
            assert fillers(quality) == {"smooth"}, f"{page}: {line}"
        if re.search(r"\bcop(y|ies|ied)\b", line):
            assert uses(quality, "cop"), f"{page}: {line}"
        for name in re.findall(r"`(neural[a-z-]*|exemplar|smooth)`", line):
            assert name in fillers(quality), f"{page}: {line}"


def test_what_auto_takes_is_what_the_default_policy_says():
    told = [
        match
        for page in PAGES
        for match in re.finditer(r"`auto` takes `([a-z-]+)`([^|;.]*)", page.read_text("utf-8"))
    ]
    assert told
    for match in told:
        rungs = [rung for rung in POLICIES["balanced"].rungs if rung.filler == match[1]]
        assert rungs, match[0]
        for bound in re.findall(r"(\d+) px", match[2]):
            assert float(bound) in {rung.radius_px for rung in rungs}, match[0]
        assert ("a fifth" in match[2]) == any(rung.beyond_share == 0.2 for rung in rungs), match[0]


def test_the_readmes_table_is_the_policies():
    text = (ROOT / "README.md").read_text("utf-8")
    (head,) = re.findall(r"^\| \| thin .*$", text, re.M)
    bounds = {rung.radius_px for policy in POLICIES.values() for rung in policy.rungs} - {None}
    assert {float(bound) for bound in re.findall(r"(\d+) px", head)} == bounds
    scene = Looks(radius_px=20, share=0.05, activity=0.05, unevenness=0.9)
    columns = [  # a hole of each
        replace(scene, radius_px=4, share=0.01),
        replace(scene, radius_px=12, share=0.01, activity=0.010),
        replace(scene, unevenness=0.2),
        scene,
        replace(scene, radius_px=40, share=0.1),
        replace(scene, radius_px=40, share=0.3),
        replace(scene, radius_px=60, share=0.3),
    ]
    for quality, policy in POLICIES.items():
        (row,) = re.findall(rf"^\| `--quality {quality}` \|(.*)\|$", text, re.M)
        cells = [cell.strip() for cell in row.split("|")]
        for cell, hole in zip(cells, columns, strict=True):
            assert re.split(r"[ ,]", cell)[0] == policy.choose(hole).filler, (quality, cell)
            for most in re.findall(r"\((\w+) beyond ([\d,]+) damaged", cell):
                count = int(most[1].replace(",", ""))
                assert policy.affordable(count).choose(hole).filler == re.split(r"[ ,]", cell)[0]
                assert policy.affordable(count + 1).choose(hole).filler == most[0]
            if "unless very calm" in cell:
                assert policy.choose(replace(hole, activity=0.002)).filler == "smooth"


def test_nets_that_are_named_are_in_the_registry():
    for page in PAGES:
        for name in re.findall(r"`(neural(?:-[a-z]+)?)`", page.read_text("utf-8")):
            assert name in ENTRIES, f"{page.name}: {name}"


def test_the_table_of_the_http_api_is_the_table_of_options():
    pytest.importorskip("fastapi", reason="serving needs its extra: pip install '.[serve]'")
    from remend.serve.options import PATCH, REPAIR

    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    part = text[text.index("### `POST /v1/repair`") : text.index("The answer is the picture")]
    rows = {
        name: (about, default.strip().strip("`"))
        for names, about, default in re.findall(r"^\| (.*?) \| (.*) \|(.*)\|$", part, re.M)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert set(rows) - set(REPAIR) == {"image", "mask", "kept", "reference"}
    assert set(REPAIR) <= set(rows)
    for name, one in REPAIR.items():
        about, default = rows[name]
        if one.high is not None and name != "seed":
            assert f"{one.low:g} to {one.high:g}" in about, name
        if name not in ("method", "format"):
            assert all(f"`{choice}`" in about for choice in one.choices), name
        if one.type == "words":
            assert default == one.told, name
        elif one.default is not None:
            wanted = str(one.default).lower() if isinstance(one.default, bool) else f"{one.default}"
            assert default in (wanted, wanted.removesuffix(".0")), name
    assert PATCH in rows["format"][0]
