"""Commands in both languages on landscapes with damage and things at known places."""

import pytest

from made_scenes import LEAST, covered, missed, seen
from remend.damage.given import dilated
from remend.errors import AmbiguousError, UsageError
from remend.options import FOUND_DILATION_PX
from remend.saying.choice import meant
from remend.saying.grammar import parse

ENGLISH = [
    ("mixed", "remove the date", "date"),
    ("mixed", "the scratches in the sky", "sky scratch"),
    ("mixed", "erase the red ball", "red ball"),
    ("mixed", "get rid of the blue thing", "blue ball"),
    ("mixed", "clean the dust but keep the text", "dust"),
    ("mixed", "please remove the brown stain", "stain"),
    ("mixed", "delete the date stamp in the lower right corner", "date"),
    ("mixed", "remove the scratch at the top left", "sky scratch"),
    ("mixed", "remove the scratch at the bottom", "ground scratch"),
    ("mixed", "fill in the hole on the right", "hole"),
    ("mixed", "remove the date and the red ball", "date+red ball"),
    ("mixed", "the ball in the middle which is blue", "blue ball"),
    ("mixed", "can you remove the scratches?", "sky scratch+ground scratch"),
    ("mixed", "everything in the sky", "sky scratch+dust"),
    ("mixed", "clean the sky but keep the dust", "sky scratch"),
    ("mixed", "remove the stain and the dust", "stain+dust"),
    ("pairs", "remove the left red ball", "left ball"),
    ("pairs", "remove the red ball on the right", "right ball"),
    ("pairs", "remove both red balls", "left ball+right ball"),
    ("pairs", "erase the green ball", "green ball"),
    ("pairs", "remove the second scratch from the left", "scratch 2"),
    ("pairs", "remove the leftmost scratch", "scratch 1"),
    ("pairs", "remove the last scratch", "scratch 3"),
    ("pairs", "the first scratch from the right", "scratch 3"),
    ("pairs", "remove all the scratches", "scratch 1+scratch 2+scratch 3"),
    ("pairs", "remove the scratches except the middle one", "scratch 1+scratch 3"),
    ("pairs", "remove the caption at the bottom left", "caption"),
    ("pairs", "take the date at the bottom right away", "date"),
    ("pairs", "remove all the text but keep the date in the right corner", "caption"),
    ("pairs", "wipe away the dust in the sky", "dust"),
    ("pairs", "don't touch the caption, remove the orange date", "date"),
    ("worn", "remove the largest stain", "large stain"),
    ("worn", "remove the small stain", "small stain"),
    ("worn", "remove the stain on the right", "small stain"),
    ("worn", "fix the horizontal scratch", "level scratch"),
    ("worn", "remove the vertical line in the sky", "upright scratch"),
    ("worn", "remove the dust at the top left", "sky dust"),
    ("worn", "clean the dust near the bottom", "ground dust"),
    ("worn", "scratches and dust in the sky", "upright scratch+sky dust"),
    ("worn", "erase the yellow ball", "yellow ball"),
]
CHINESE = [
    ("mixed", "去掉右下角的日期", "date"),
    ("mixed", "天空中的划痕", "sky scratch"),
    ("mixed", "把红色的球去掉", "red ball"),
    ("mixed", "删除蓝色的东西", "blue ball"),
    ("mixed", "去掉灰尘，保留文字", "dust"),
    ("mixed", "请去除棕色的污渍", "stain"),
    ("mixed", "把日期擦掉", "date"),
    ("mixed", "去掉左上角的划痕", "sky scratch"),
    ("mixed", "去掉下面的那条划痕", "ground scratch"),
    ("mixed", "补上右边的洞", "hole"),
    ("mixed", "去掉日期和红球", "date+red ball"),
    ("mixed", "中间的蓝色小球", "blue ball"),
    ("mixed", "能不能去掉划痕？", "sky scratch+ground scratch"),
    ("mixed", "天空里的所有损伤", "sky scratch+dust"),
    ("mixed", "清理天空但不要动灰尘", "sky scratch"),
    ("mixed", "去掉污渍和灰尘", "stain+dust"),
    ("pairs", "去掉左边的红球", "left ball"),
    ("pairs", "删掉右边那个红色的球", "right ball"),
    ("pairs", "去掉两个红球", "left ball+right ball"),
    ("pairs", "擦除绿色的球", "green ball"),
    ("pairs", "去掉从左数第二条划痕", "scratch 2"),
    ("pairs", "去掉最左边的划痕", "scratch 1"),
    ("pairs", "去掉最后一条划痕", "scratch 3"),
    ("pairs", "从右数第一条划痕", "scratch 3"),
    ("pairs", "去掉所有的划痕", "scratch 1+scratch 2+scratch 3"),
    ("pairs", "除了中间那条以外的划痕都去掉", "scratch 1+scratch 3"),
    ("pairs", "去掉左下角的标题", "caption"),
    ("pairs", "把右下角的日期弄掉", "date"),
    ("pairs", "去掉所有文字，但保留右下角的日期", "caption"),
    ("pairs", "擦掉天空中的灰尘", "dust"),
    ("pairs", "别动标题，去掉右下角的日期", "date"),
    ("worn", "去掉最大的污渍", "large stain"),
    ("worn", "去掉小的污渍", "small stain"),
    ("worn", "去掉右边的污渍", "small stain"),
    ("worn", "修复水平的划痕", "level scratch"),
    ("worn", "去掉天空中竖直的线", "upright scratch"),
    ("worn", "去掉左上角的灰尘", "sky dust"),
    ("worn", "清理下方的灰尘", "ground dust"),
    ("worn", "天空中的划痕和灰尘", "upright scratch+sky dust"),
    ("worn", "去掉黄色的球", "yellow ball"),
]
AMBIGUOUS = [
    ("pairs", "remove the red ball"),
    ("pairs", "remove the scratch"),
    ("mixed", "remove the scratch"),
    ("worn", "remove the stain"),
    ("worn", "remove the scratch"),
    ("mixed", "remove a ball"),
    ("pairs", "get rid of the ball"),
    ("pairs", "erase that line at the bottom"),
    ("pairs", "remove two scratches"),
    ("pairs", "the stamp or the caption or a scratch"),
    ("pairs", "去掉红色的球"),
    ("pairs", "去掉那条划痕"),
    ("mixed", "去掉一条划痕"),
    ("worn", "去掉那块污渍"),
    ("worn", "把那条划痕去掉"),
    ("mixed", "去掉那个球"),
    ("pairs", "去掉球"),
    ("pairs", "擦掉下面那条线"),
    ("pairs", "去掉两条划痕"),
    ("pairs", "去掉日期"),
]
NONSENSE = [
    "paint the sky blue",
    "make me a sandwich",
    "remove the flibbertigibbet",
    "asdf qwer",
    "",
    "remove",
    "what time is it?",
    "remove the dog",
    "delete the sky",
    "remove the purple ball at the top",
    "把天空涂成蓝色",
    "今天天气怎么样",
    "去掉飞机",
    "你好",
    "去掉",
    "哈哈哈",
    "去掉人",
    "删除天空",
    "去掉上面紫色的球",
    "旋转照片",
]


@pytest.mark.parametrize("commands", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_commands_hit_what_they_mean(commands):
    assert len(commands) == 40
    assert len(missed(commands)) <= 2, missed(commands)


def test_what_fits_several_is_asked_back():
    assert len(AMBIGUOUS) == 20
    for name, command in AMBIGUOUS:
        with pytest.raises(AmbiguousError) as asked:
            meant(parse(command), seen(name)[1])
        choices = asked.value.choices
        assert [choice.number for choice in choices] == list(range(1, len(choices) + 1)), command
        assert len(choices) > 1
        for choice in choices:
            assert f"{choice.number} {choice.name}" in str(asked.value)


def test_nonsense_is_refused_in_its_own_language():
    assert len(NONSENSE) == 20
    for number, command in enumerate(NONSENSE):
        with pytest.raises(UsageError) as refused:
            meant(parse(command), seen("mixed")[1])
        told = str(refused.value)
        assert not isinstance(refused.value, AmbiguousError), command
        assert ("说" in told) == (number >= 10), told
        assert "\n" not in told


def test_a_pick_answers_the_question():
    made, scene = seen("pairs")
    command = parse("remove the red ball")
    both = [covered(meant(command, scene, pick=pick).regions) for pick in ("1", "2", "1,2", "all")]
    assert (both[2] == (both[0] | both[1])).all() and (both[3] == both[2]).all()
    for mask, name in zip(both[:2], ("left ball", "right ball"), strict=True):
        truth = dilated(made.of(name), FOUND_DILATION_PX)
        assert (mask & truth).sum() > LEAST * (mask | truth).sum()
    with pytest.raises(UsageError, match="from 1 on"):
        meant(command, scene, pick="3")


def test_what_stays_is_not_marked():
    made, scene = seen("mixed")
    for command in ("remove everything but keep the date", "去掉除了日期以外的所有东西"):
        mask = covered(meant(parse(command), scene).regions)
        assert not (mask & made.masks["date"]).any()
        assert (mask & made.masks["stain"]).sum() > 0.7 * made.masks["stain"].sum()


def test_the_sky_is_found_with_damage_upon_it():
    made, scene = seen("mixed")
    sky = scene.area("sky")
    assert (sky & made.masks["sky"]).sum() > 0.95 * (sky | made.masks["sky"]).sum()
