"""Commands as other people would put them, written when the grammar was done."""

import pytest

from made_scenes import missed

ENGLISH = [
    ("mixed", "There's a date in the corner, I don't want it.", "date"),
    ("mixed", "could you please get the scratch out of the sky", "sky scratch"),
    ("mixed", "the red ball has to go", "red ball"),
    ("mixed", "Blue ball away!", "blue ball"),
    ("mixed", "take out that big brown blotch bottom left", "stain"),
    ("mixed", "no dust please", "dust"),
    ("mixed", "I'd like the tear at the right edge fixed", "hole"),
    ("mixed", "lose the timestamp", "date"),
    ("mixed", "clear up the specks in the upper right", "dust"),
    ("mixed", "remove scratch top left", "sky scratch"),
    ("mixed", "wipe the red and the blue ball", "red ball+blue ball"),
    ("mixed", "fix all scratches but leave the one in the sky", "ground scratch"),
    ("mixed", "delete orange numbers", "date"),
    ("mixed", "remove the coffee stain", "stain"),
    ("mixed", "the white hole near the right border", "hole"),
    ("pairs", "kill the caption, bottom left", "caption"),
    ("pairs", "remove the red ball that is on the left", "left ball"),
    ("pairs", "I want the rightmost red ball gone", "right ball"),
    ("pairs", "please erase the middle scratch", "scratch 2"),
    ("pairs", "remove the third scratch", "scratch 3"),
    ("pairs", "get rid of the vertical lines", "scratch 1+scratch 2+scratch 3"),
    ("pairs", "remove the yellow text", "caption"),
    ("pairs", "remove the white dots up in the sky", "dust"),
    ("pairs", "the two red circles should disappear", "left ball+right ball"),
    ("worn", "remove the bigger stain", "large stain"),
    ("worn", "remove the smaller of the stains", "small stain"),
    ("worn", "remove the long horizontal scratch", "level scratch"),
    ("worn", "the scratch in the clouds please", "upright scratch"),
    ("worn", "could you retouch the yellow blob", "yellow ball"),
    ("worn", "remove both stains", "large stain+small stain"),
]
CHINESE = [
    ("mixed", "右下角那个日期我不要了", "date"),
    ("mixed", "麻烦把天上的划痕弄掉", "sky scratch"),
    ("mixed", "红球不要", "red ball"),
    ("mixed", "让蓝球消失", "blue ball"),
    ("mixed", "把左下那一大块褐色的污渍去掉吧", "stain"),
    ("mixed", "照片上有灰尘，帮我清掉", "dust"),
    ("mixed", "右边边缘的破洞补一下", "hole"),
    ("mixed", "时间戳删了", "date"),
    ("mixed", "清除右上方的小白点", "dust"),
    ("mixed", "左上角划痕", "sky scratch"),
    ("mixed", "红球和蓝球都去掉", "red ball+blue ball"),
    ("mixed", "修复所有划痕，天空里的那条别动", "ground scratch"),
    ("mixed", "删除橙色的数字", "date"),
    ("mixed", "擦掉咖啡渍", "stain"),
    ("mixed", "白色的洞", "hole"),
    ("pairs", "左下角的黄字擦掉", "caption"),
    ("pairs", "左侧的红色圆球请移除", "left ball"),
    ("pairs", "最右边的红球去掉", "right ball"),
    ("pairs", "正中间那道划痕抹掉", "scratch 2"),
    ("pairs", "第三条划痕", "scratch 3"),
    ("pairs", "把竖线都去掉", "scratch 1+scratch 2+scratch 3"),
    ("pairs", "去掉黄色文字", "caption"),
    ("pairs", "天空里的白点", "dust"),
    ("pairs", "那两个红色圆圈让它们消失", "left ball+right ball"),
    ("worn", "大的那块污渍", "large stain"),
    ("worn", "较小的污渍去掉", "small stain"),
    ("worn", "那条长长的横划痕修一下", "level scratch"),
    ("worn", "云里的那道划痕", "upright scratch"),
    ("worn", "黄色的圆东西", "yellow ball"),
    ("worn", "两块污渍都去掉", "large stain+small stain"),
]


@pytest.mark.parametrize("commands", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_other_words_for_the_same(commands):
    assert len(missed(commands)) <= 3, missed(commands)
