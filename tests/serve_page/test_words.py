"""English and Chinese: no string of the page is missing in the table, and none goes past it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

pytest.importorskip("fastapi", reason="the page is served by remend[serve]")

from page_driver import Editor
from remend.fill.registry import ENTRIES
from remend.options import QUALITIES
from remend.serve.options import REPAIR
from remend.serve.problems import KINDS

STATIC = files("remend.serve").joinpath("static")
LETTERS = re.compile("[A-Za-z]{2}")
LITERAL = r'"(?:[^"\\]|\\.)*"'


def scripts() -> dict[str, str]:
    found = {one.name: one.read_text("utf-8") for one in STATIC.joinpath("editor").iterdir()}
    found["app.js"] = STATIC.joinpath("app.js").read_text("utf-8")
    return found


def table() -> dict[str, str]:
    text = STATIC.joinpath("lang", "zh.js").read_text("utf-8")
    return json.loads(text.partition("\nexport default")[2].rstrip().rstrip(";"))


def templates(source: str) -> list[str]:
    """The keys of tagged templates: tr`${n} pictures` is "{0} pictures"."""
    keys = []
    for start in re.finditer(r"\btr`", source):
        at, key, count = start.end(), "", 0
        while source[at] != "`":
            if source[at : at + 2] != "${":
                key, at = key + source[at], at + 1
                continue
            depth, at = 1, at + 2
            while depth:
                depth += (source[at] == "{") - (source[at] == "}")
                at += 1
            key, count = f"{key}{{{count}}}", count + 1
        keys.append(key)
    return keys


class Document(HTMLParser):
    """What the page's document itself says."""

    def __init__(self) -> None:
        super().__init__()
        self.words: set[str] = set()
        self.silent = 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in ("script", "style", "title", "noscript")
        for name, value in attrs:
            if name in ("title", "aria-label", "placeholder") and value and LETTERS.search(value):
                self.words.add(value)

    def handle_endtag(self, tag):
        self.silent -= tag in ("script", "style", "title", "noscript")

    def handle_data(self, data):
        if not self.silent and LETTERS.search(data):
            self.words.add(" ".join(data.split()))


def said() -> set[str]:
    """All that the page may say in English."""
    found: set[str] = set()
    for name, source in scripts().items():
        if name != "words.js":
            found |= {json.loads(one) for one in re.findall(rf"\btr\(\s*({LITERAL})\s*\)", source)}
            found |= set(templates(source))
    document = Document()
    document.feed(STATIC.joinpath("index.html").read_text("utf-8"))
    found |= {words for words in document.words if "{" not in words}
    for kind in KINDS.values():
        found |= {kind.title, kind.remedy}
    for name, summary in QUALITIES.items():
        found |= {name, summary}
    found |= {entry.summary for entry in ENTRIES.values()} | {"chooses for each hole"}
    found |= {REPAIR[name].label for name in ("sensitivity", "quality", "method")}
    found |= {REPAIR[name].help for name in ("sensitivity", "force", "feather_px")}
    return found


def test_no_string_is_missing():
    known = table()
    assert len(said()) > 300
    assert sorted(said() - known.keys()) == []
    assert sorted(key for key, words in known.items() if not words.strip()) == []
    holes = re.compile(r"\{\d\}")
    torn = [k for k, words in known.items() if sorted(holes.findall(k)) != sorted(holes.findall(words))]
    assert torn == []


def test_nothing_is_said_past_the_table():
    """Where the page speaks, a literal stands inside tr."""
    places = r"(?:\bsay\(|\bnotice\(|\bremedy: |\bdetail: |textContent = |\.title = |\"aria-label\", )"
    for name, source in scripts().items():
        if name == "words.js":
            continue
        for words in re.findall(rf"{places}\s*({LITERAL}|`[^`]*`)", source):
            plain = re.sub(r"\$\{[^}]*\}", "", words[1:-1])
            assert not LETTERS.search(plain), f"{name} says {words} in English alone"


def test_the_page_speaks_chinese(open_page, png):
    from playwright.sync_api import expect

    page = open_page(locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#welcome-title")).to_have_text("涂一涂，它就消失")
    editor = Editor(page)
    editor.open(png)
    expect(page.locator("#find")).to_have_text("查找损伤")
    expect(page.locator("#marked")).to_have_text("没有标记")
    page.click("#repair")
    expect(page.locator(".notice")).to_contain_text("还没有标记任何地方")
    english = page.evaluate("""() => [...document.querySelectorAll("#editor button, #panel-body label")]
      .filter((one) => one.checkVisibility() && /[A-Za-z]{3}/.test(one.innerText))
      .map((one) => one.innerText)""")
    assert english == []
    page.click("#language")
    expect(page.locator("#find")).to_have_text("Find damage")
    expect(page.locator("#title")).to_contain_text("scene.png")


def test_the_servers_errors_speak_chinese(open_page, png):
    from playwright.sync_api import expect

    page = open_page(locale="zh-CN")
    page.set_input_files("#files", [{"name": "信.png", "mimeType": "image/png", "buffer": b"no picture"}])
    notice = page.locator(".notice.bad")
    expect(notice).to_contain_text("信.png：")
    expect(notice).to_contain_text("应当是图片")
    patterns = page.evaluate("""async () => {
      const { default: lines } = await import("/static/lang/errors.js");
      return lines.map(([pattern]) => new RegExp(pattern, "s").source.length);
    }""")
    assert len(patterns) > 250
