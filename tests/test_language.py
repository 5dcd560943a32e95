"""Errors in Chinese: every one that somebody who repairs pictures may meet has a line in the table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import remend
from remend.language import VALUE, error_table, in_chinese

SOURCE = Path(remend.__file__).parent
# Who repairs pictures meets these; training, evaluation and video speak English.
ROOMS = [
    *("adapt", "album", "api", "batch", "budget", "cropping", "damage/given", "damage/sparse", "faults"),
    *("fill/registry", "filling", "finding", "infrared", "io/elsewhere", "io/heif", "io/read", "io/registry"),
    *("io/write", "io/jpeg/codec", "io/png/chunks", "kinds", "language", "options", "pages", "patch"),
    *("pipeline", "projection", "provenance", "references", "repairing", "restoring", "saying", "undoing"),
    *("cli/album", "cli/crop", "cli/detect", "cli/flags", "cli/inspect", "cli/mask", "cli/one_by_one"),
    *("cli/provenance", "cli/repair", "cli/restore", "cli/serve"),
]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Said to who writes Python, or by a file's own words.
NOT_MET = re.compile(r"an image array must be|a guide is bool|the method \{0\} follows|^\{0\}: \{1\}$")


def template(node: ast.expr) -> str | None:
    """A message with its values numbered; None where it is not written where it is raised."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        text, count = "", 0
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
            else:
                text, count = f"{text}{{{count}}}", count + 1
        return text
    return None


def _named(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and bool(call.args)


def problems(path: Path) -> Iterator[str]:
    """What the server says of one case, beside what the library said."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and _named(node) and node.func.id == "Problem" and len(node.args) > 1:
            text = template(node.args[1])
            if text and VALUE.sub("", text).strip(": ") not in ("", "is"):
                yield text


def raised(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _named(node.exc):
            text = template(node.exc.args[0])
            if text and node.exc.func.id.endswith("Error") and not NOT_MET.search(text):
                yield text


def files() -> Iterator[Path]:
    for room in ROOMS:
        place = SOURCE / room
        yield from place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]


@pytest.mark.parametrize("path", sorted(set(files())), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_error_is_missing(path):
    told = {text: in_chinese(VALUE.sub("7", text)) for text in raised(path)}
    assert [text for text, chinese in told.items() if not CHINESE.search(chinese)] == []


def test_no_problem_of_the_api_is_missing():
    said = {text for path in (SOURCE / "serve").glob("*.py") for text in problems(path)}
    assert len(said) > 30
    assert sorted(text for text in said if not CHINESE.search(in_chinese(VALUE.sub("7", text)))) == []


def test_the_values_stay_and_so_do_flags():
    for english, chinese in error_table().items():
        assert sorted(VALUE.findall(english)) == sorted(VALUE.findall(chinese)), english
        assert set(re.findall(r"--[a-z-]+", english)) <= set(re.findall(r"--[a-z-]+", chinese)), english
        assert CHINESE.search(chinese), english


def test_values_are_put_in_their_places_and_translated_themselves():
    assert (
        in_chinese(
            "b.png and c.png would both be written to d: repair them one by one, or into different folders"
        )
        == "b.png 和 c.png 都会写到 d：请逐个修复，或写到不同的文件夹"
    )
    assert in_chinese("anything at all") == "anything at all"
    nested = "Invalid value for '--sensitivity': 7 is not in the range 0<=x<=1."
    assert in_chinese(nested) == "'--sensitivity' 的值无效：7 不在范围 0<=x<=1 内。"


def test_no_line_is_a_ghost():
    """What the table knows is said somewhere: by the source, or by click."""
    import click

    source = "\n".join("".join(path.read_text("utf-8").split()) for path in SOURCE.rglob("*.py")) + "".join(
        "".join(one.read_text("utf-8").split()) for one in Path(click.__file__).parent.glob("*.py")
    )
    for english in error_table():
        parts = ["".join(part.split()).replace('"', "") for part in VALUE.split(english)[::2]]
        assert any(len(part) > 3 and part[n : n + 12] in source for part in parts for n in (0, 3)), english
