"""``--help`` in Chinese: no string is missing, none is left over, and English stays where nobody asks."""

import re
import unicodedata

import click
import pytest
from click.testing import CliRunner

from remend.cli.language import help_of, table, wrapped
from remend.cli.main import main, remend
from remend.language import is_chinese

CHINESE = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"}
ENGLISH = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "en_US.UTF-8"}


@pytest.fixture
def speaking(monkeypatch):
    """The command as its language is said by ``LANG``."""

    def begin(language):
        for name, value in language.items():
            monkeypatch.setenv(name, value)
        return remend

    return begin


def everything(group) -> set[str]:
    context = click.Context(group)
    said = set(help_of(group))
    for name in group.list_commands(context):
        inner = group.get_command(context, name)
        said |= everything(inner) if isinstance(inner, click.Group) else set(help_of(inner))
    return said


def test_no_string_is_missing_in_the_table_and_none_is_left_over(speaking):
    said = everything(speaking(ENGLISH))
    assert len(said) > 150
    assert sorted(said - table().keys()) == []
    assert sorted(table().keys() - said) == []


def test_every_translation_is_chinese_and_names_the_same_flags():
    for english, chinese in table().items():
        assert re.search(r"[\u4e00-\u9fff]", chinese), english
        assert set(re.findall(r"--[a-z-]+", english)) <= set(re.findall(r"--[a-z-]+", chinese)), english


def test_help_speaks_the_language_that_is_set(speaking):
    verbs = CliRunner().invoke(speaking(CHINESE), ["--help"])
    assert "用法：" in verbs.output and "修复受损的图片" in verbs.output and "命令" in verbs.output
    detect = CliRunner().invoke(speaking(CHINESE), ["detect", "--help"])
    assert "灵敏" not in detect.output and "多少算作损伤" in detect.output.replace("\n", "").replace(" ", "")
    assert "[默认：" in detect.output
    plain = CliRunner().invoke(speaking(ENGLISH), ["detect", "--help"])
    assert "Usage:" in plain.output and "用法" not in plain.output


def test_no_line_is_wider_than_the_screen(speaking):
    shown = CliRunner().invoke(speaking(CHINESE), ["repair", "--help"], terminal_width=80)
    for line in shown.output.splitlines():
        assert sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line) <= 82, line


def test_the_language_is_read_as_other_programs_do(monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert not is_chinese()
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert is_chinese()
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert not is_chinese()


def test_lines_end_where_chinese_lines_may():
    assert wrapped("一二三四五，六", 10) == ["一二三四五，", "六"]


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (["repair", "nowhere.jpg"], "nowhere.jpg：没有这个文件", 1),
        (["detect", "nowhere.jpg", "--json"], "nowhere.jpg：没有这个文件", 1),
        (["inspect", "nowhere.jpg"], "nowhere.jpg：没有这个文件", 1),
        (["restore", "nowhere.jpg"], "没有这个文件", 1),
        (["repair", "nowhere.jpg", "--seed", "many"], "'--seed' 的值无效：'many' 不是有效的", 2),
        (["repair", "nowhere.jpg", "--sensitivty", "1"], "没有选项 ", 2),
        (["repiar"], "没有命令 ", 2),
        (["repair", "a.jpg", "--skip", "damage"], "skip 把要找的都去掉了", 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_speak_the_language_that_is_set(
    speaking, capsys, tmp_path, monkeypatch, arguments, told, code
):
    monkeypatch.chdir(tmp_path)
    speaking(CHINESE)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code
    assert told in capsys.readouterr().err
    speaking(ENGLISH)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code
    assert not re.search(r"[\u4e00-\u9fff]", capsys.readouterr().err)
