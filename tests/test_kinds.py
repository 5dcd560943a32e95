"""What ``--find`` and ``--skip`` say."""

import pytest

from remend.errors import UsageError
from remend.kinds import KINDS, default_kinds, parse_kinds, seen_kinds

DEFAULT_KINDS, FOUND_KINDS, SEEN_KINDS = default_kinds(), tuple(KINDS), seen_kinds()


def test_lettering_is_not_looked_for_by_default():
    assert set(FOUND_KINDS) - set(DEFAULT_KINDS) == {"text", "watermark", "tripod"}
    assert set(FOUND_KINDS) - set(SEEN_KINDS) == {"tripod"}
    for default in (
        parse_kinds(None),
        parse_kinds(()),
        parse_kinds(""),
        parse_kinds(" , "),
        parse_kinds("damage"),
    ):
        assert default == DEFAULT_KINDS


@pytest.mark.parametrize(
    ("find", "skip", "kinds"),
    [
        ("scratches", (), ("scratch",)),
        ("dust, Cracks", (), ("crack", "dust")),
        (["text", "scratch"], (), ("scratch", "text")),
        (["dates"], (), ("text",)),
        (["captions,subtitles"], (), ("text",)),
        (["tears"], (), ("hole",)),
        (["logos"], (), ("watermark",)),
        (["damage,text"], (), (*DEFAULT_KINDS, "text")),
        (["all"], (), SEEN_KINDS),
        (["all,tripod"], (), FOUND_KINDS),
        (["nadir"], (), ("tripod",)),
        (["all"], ["dust,stains", "watermark"], ("scratch", "crack", "hole", "text")),
        (None, "dust", ("scratch", "crack", "stain", "hole")),
        ("damage", "text", DEFAULT_KINDS),
    ],
)
def test_words_and_what_they_mean(find, skip, kinds):
    assert parse_kinds(find, skip) == kinds


@pytest.mark.parametrize("find, skip", [("fog", ()), ("dust,fog", ()), (None, "fog"), (["overlay"], ())])
def test_unknown_words_list_the_choices(find, skip):
    with pytest.raises(UsageError) as said:
        parse_kinds(find, skip)
    line = str(said.value)
    assert "is no kind of damage" in line and "\n" not in line
    assert all(kind in line for kind in (*FOUND_KINDS, "damage", "all"))


def test_nothing_left_to_look_for():
    with pytest.raises(UsageError, match="takes away all"):
        parse_kinds("dust", "dust,cracks")
