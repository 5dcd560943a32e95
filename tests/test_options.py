"""One table of options: every face has what it says, and an option that can do nothing is refused."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import remend
from remend.cli.repair import repair as command
from remend.cli.restore import restore as restore_command
from remend.cli.video import video as video_command
from remend.errors import LimitError, UsageError
from remend.kinds import KINDS, groups
from remend.options import DETECT, Bounds, DetectKeywords, MaskOptions, RepairKeywords, Settings, options_of
from remend.options.restoration import RestoreKeywords, RestoreOptions
from remend.options.video import VideoOptions
from remend.plan.policy import POLICIES

SOURCE = Path(remend.__file__).parent
TABLES = (Settings, MaskOptions, Bounds)
IMAGE, HOLE = np.full((24, 24, 3), 90, np.uint8), np.zeros((24, 24), bool)
HOLE[10:14, 5:20] = True

GUIDE = Path(__file__).parents[1] / "CONTRIBUTING.md"
EVERY_FACE = """
import inspect, json
import numpy as np
from click.testing import CliRunner
import remend, remend.api
from remend.cli.repair import repair
from remend.serve.options import REPAIR, read_job_options, schema_of
from remend.serve.problems import Problem

heard = []
truly = remend.api.repair_picture
def repair_picture(picture, mask, settings, **more):
    heard.append(settings.swirl)
    return truly(picture, mask, settings, **more)
remend.api.repair_picture = repair_picture
image, hole = np.full((24, 24, 3), 90, np.uint8), np.eye(24, dtype=bool)
remend.repair(image, hole, method="telea", swirl=1.5)
remend.repair(image, hole, method="telea", settings=remend.Settings(swirl=2))
remend.repair(image, hole, method="telea")
said = []
for refused in (
    lambda: remend.repair(image, hole, swirl=3),
    lambda: read_job_options({"swirl": "3"}, REPAIR, "repair"),
):
    try:
        refused()
    except (remend.RemendError, Problem) as error:
        said.append(getattr(error, "detail", str(error)))
print(json.dumps({
    "heard": heard,
    "said": said,
    "signature": inspect.signature(remend.repair).parameters["swirl"].default,
    "doc": "swirl: Swirl what was filled. A number from 0 to 2." in remend.repair.__doc__,
    "help": CliRunner().invoke(repair, ["--help"]).output,
    "flag": CliRunner().invoke(repair, ["a.png", "--swirl", "3"]).exit_code,
    "form": read_job_options({"swirl": "0.25"}, REPAIR, "repair").settings.swirl,
    "schema": schema_of(REPAIR["swirl"]),
    "label": REPAIR["swirl"].label,
}))
"""


def test_a_new_option_is_one_field(tmp_path):
    pytest.importorskip("fastapi", reason="serving needs its extra: pip install '.[serve]'")
    copy = tmp_path / "remend"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "weights", "train", "nets"))
    table = copy / "options" / "__init__.py"
    text = table.read_text("utf-8")
    before = "    repair_alpha: bool = option("
    assert text.count(before) == 1
    (field,) = re.findall(r"## A new option.*?```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    table.write_text(text.replace(before, f"    {field}{before}"), "utf-8")
    result = subprocess.run(
        [sys.executable, "-c", EVERY_FACE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
    )
    assert result.returncode == 0, result.stderr.decode()
    said = json.loads(result.stdout)
    assert said["heard"] == [1.5, 2, 0.5]
    assert said["signature"] == 0.5
    assert said["doc"]
    assert "--swirl FLOAT RANGE" in said["help"]
    assert "Swirl what was filled." in said["help"]
    assert "default: 0.5" in said["help"]
    assert said["flag"] == 2
    assert said["form"] == 0.25
    assert said["label"] == "Swirl"
    assert said["schema"] == {
        "type": "number",
        "description": "Swirl what was filled.",
        "default": 0.5,
        "minimum": 0,
        "maximum": 2,
    }
    python, form = said["said"]
    assert python == "swirl must be a number from 0 to 2, got 3"
    assert form == "swirl must be a number from 0 to 2, got 3.0"


def test_every_option_has_one_name_and_its_help():
    names = [name for table in TABLES for name in options_of(table)]
    assert len(set(names)) == len(names)
    for table in (*TABLES, RestoreOptions, VideoOptions):
        for name, one in options_of(table).items():
            assert one.help.endswith((".", "; all.")), name
            one.verify(one.default)
            assert getattr(table(), name) == one.default


@pytest.mark.parametrize(
    ("keywords", "verb", "tables"),
    [
        (RepairKeywords, remend.repair, [options_of(table) for table in TABLES]),
        (DetectKeywords, remend.detect, [DETECT, options_of(Bounds)]),
        (RestoreKeywords, remend.restore, [options_of(RestoreOptions), options_of(Bounds)]),
    ],
)
def test_what_type_checkers_are_told_is_the_table(keywords, verb, tables):
    shown = (RestoreOptions, Bounds) if verb is remend.restore else TABLES
    types = {each.name: each.type for table in shown for each in fields(table)}
    bases = [keywords] if verb is remend.restore else [DetectKeywords, keywords]
    told = {name: hint.__forward_arg__ for base in bases for name, hint in base.__annotations__.items()}
    named = {name for table in tables for name in table} - ({"dilate_px"} if verb is remend.detect else set())
    assert told == {name: types[name] for name in named}
    assert named <= set(inspect.signature(verb).parameters)


def test_what_restoring_shares_with_repairs_is_the_same_option():
    mask, settings = options_of(MaskOptions), options_of(Settings)
    for name, one in options_of(RestoreOptions).items():
        if other := settings.get(name) or (mask.get(name) if name != "skip" else None):
            assert (one.type, one.choices, one.low, one.high) == (
                *(other.type, other.choices),
                *(other.low, other.high),
            )
            assert RestoreOptions().set_to(name) == other.default
            assert not one.needs
    asked = RestoreOptions(sensitivity=0.9, quality="best", seed=7, force=True, tolerate=True)
    assert asked.mask_options == MaskOptions(sensitivity=0.9, force=True, tolerate=True)
    assert asked.settings == Settings(quality="best", seed=7)
    help = CliRunner().invoke(restore_command, ["--help"]).output
    for name in options_of(RestoreOptions):
        assert f"--{name.replace('_', '-')}" in help
    refused = CliRunner().invoke(restore_command, ["a.png", "--only", "moire"])
    assert (
        str(refused.exception)
        == "restore has no step 'moire': choose screen, noise, blocks, damage, tone, streaks"
    )
    assert CliRunner().invoke(restore_command, ["a.png", "--tone", "2"]).exit_code == 2


def test_what_videos_share_with_repairs_is_the_same_option():
    others = options_of(MaskOptions) | options_of(Settings)
    for name, one in options_of(VideoOptions).items():
        if name in others and name != "find":
            same = ("type", "choices", "low", "high", "default")
            assert [getattr(one, each) for each in same] == [getattr(others[name], each) for each in same]
    asked = VideoOptions(quality="fast", method="telea", seed=3, mask_polarity="black", dilate_px=2)
    assert asked.settings == Settings(method="telea", quality="fast", seed=3)
    assert asked.masks == MaskOptions(mask_polarity="black", dilate_px=2)
    help = CliRunner().invoke(video_command, ["--help"]).output
    for name in options_of(VideoOptions):
        assert f"--{name.replace('_', '-')}" in help
    assert CliRunner().invoke(video_command, ["a.mp4", "-o", "b.mp4", "--reach", "0"]).exit_code == 2
    refused = CliRunner().invoke(video_command, ["a.mp4", "-o", "b.mp4", "--find", "dust,rain"])
    assert str(refused.exception) == "in film one looks for dust, scratches, hair, not for 'rain'"


def test_the_help_names_all_kinds_of_damage_and_the_policies_all_qualities():
    options = options_of(MaskOptions) | options_of(Settings)
    for word in (*KINDS, *groups()):
        assert word in options["find"].help
    assert list(options["quality"].choices) == list(POLICIES)


def test_settings_stand_beside_keywords_which_win(tmp_path):
    settings = remend.Settings(method="telea", seed=4)
    told = remend.repair(IMAGE, HOLE, settings=settings, options=MaskOptions(dilate_px=2))
    np.testing.assert_array_equal(told, remend.repair(IMAGE, HOLE, method="telea", seed=4, dilate_px=2))
    with pytest.raises(UsageError, match="unknown method 'magic'"):
        remend.repair(IMAGE, HOLE, settings=settings, method="magic")
    remend.repair(IMAGE, HOLE, settings=remend.Settings(method="magic"), method="telea")
    remend.write_picture(remend.Picture(IMAGE, "RGB"), tmp_path / "a.png", changed=HOLE)
    with pytest.raises(LimitError, match="--max-pixels"):
        remend.repair(tmp_path / "a.png", HOLE, bounds=Bounds(max_pixels=9))
    remend.repair(tmp_path / "a.png", HOLE, settings=settings, bounds=Bounds(max_pixels=9), max_pixels=999)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"sed": 3}, "there is no keyword 'sed': seed?"),
        ({"grain": 7}, "grain must be a number from 0 to 2, got 7"),
        ({"grain": "much"}, "grain must be a number from 0 to 2, got 'much'"),
        ({"grain": float("nan")}, "grain must be a number from 0 to 2"),
        ({"quality": "great"}, "quality must be one of fast, balanced, best, got 'great'"),
        ({"dilate_px": -1}, "dilate_px must be a whole number from 0 to 500, got -1"),
        ({"mask_polarity": "grey"}, "mask_polarity must be one of white, black, alpha, opaque"),
        ({"time_limit_s": 0}, "time_limit_s must be a number above 0, got 0"),
        ({"accept": "jpeg,docx"}, "no format named 'docx'"),
        ({"whole_picture": True}, "whole_picture is about denoise and sharpen, and neither is given"),
    ],
)
def test_what_cannot_be_meant_is_said_before_any_work(keywords, says):
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        remend.repair("nowhere.png", HOLE, **keywords)


def test_formats_are_named_as_people_name_them(tmp_path):
    remend.write_picture(remend.Picture(IMAGE, "RGB"), tmp_path / "a.png", changed=HOLE)
    with pytest.raises(remend.RemendError, match="only jpeg, tiff are accepted here"):
        remend.repair(tmp_path / "a.png", HOLE, accept="JPG, tif")


@pytest.mark.parametrize(
    ("flag", "name", "value"),
    [
        (["--mask-polarity", "black"], "mask_polarity", "black"),
        (["--resize-mask"], "resize_mask", True),
        (["--yes"], "yes", True),
    ],
)
def test_what_is_about_a_mask_is_refused_without_one(flag, name, value):
    says = f"{flag[0]}: for a mask that is given, and there is none: give one, or leave it out"
    with pytest.raises(UsageError, match=says):
        remend.repair(IMAGE, **{name: value})
    refused = CliRunner().invoke(command, ["a.png", *flag])
    assert isinstance(refused.exception, UsageError)
    assert str(refused.exception) == says
    remend.repair(IMAGE, HOLE.astype(np.uint8) * 255, method="telea", yes=True)


def test_a_guide_of_another_size_needs_no_mask():
    MaskOptions(resize_mask=True).check_place(mask=False, guide=True)
    assert MaskOptions(resize_mask=True, sensitivity=0.9).misplaced(mask=True) == ("sensitivity",)


def test_help_costs_no_array_library():
    verbs = ", ".join(f"remend.cli.{verb}" for verb in ("repair", "detect", "restore"))
    code = f"import sys, {verbs}; assert not {{'numpy', 'cv2'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
