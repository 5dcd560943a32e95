"""The fields of the forms: which options of the table each takes, and how their text is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from remend.errors import UsageError
from remend.fill.registry import ENTRIES
from remend.infrared import AUTO, NO
from remend.io.registry import FORMATS, codec_named
from remend.options import DETECT as FOUND
from remend.options import OUT_OF_PLACE, MaskOptions, Option, Settings, options_of
from remend.options.presets import TOLD as PRESETS_TOLD
from remend.options.restoration import RestoreOptions
from remend.serve.problems import Problem

__all__ = [
    "CROP",
    "DETECT",
    "INSPECT",
    "JOB",
    "MASK",
    "OF_PAGES",
    "REPAIR",
    "RESTORE",
    "VIEW",
    "JobOptions",
    "check_place",
    "form_schema",
    "read_job_options",
    "schema_of",
]

PATCH = "patch"  # a format of answers that is none of files
LARGEST = 2**53 - 1  # whole number that every client can hold
Table = TypeVar("Table", Settings, MaskOptions, RestoreOptions)

OF_PAGES = (
    "dates",
    "volume",
)  # methods that fill from further pages of a file, and have nothing to say of one
FILL = options_of(Settings)
FILL["method"] = replace(
    FILL["method"],
    choices=dict.fromkeys(("auto", *ENTRIES), ""),  # no path: files of the server are not the client's
    help="How to fill; see /v1/methods.",
)
FILL["seed"] = replace(FILL["seed"], high=LARGEST)
# Nor here: what is sent is one file, which holds its infrared or does not.
INFRARED = replace(
    FOUND["infrared"],
    choices=dict.fromkeys((AUTO, NO), ""),
    help="Find dust by infrared alone, where the file has such a channel or page.",
)
DETECT = FOUND | {"infrared": INFRARED}
MASK = {
    name: one
    for name, one in options_of(MaskOptions).items()
    if "search" not in one.needs and name != "pages"  # a mask is shown for one picture
}
VIEW = options_of(MaskOptions, "tolerate")
REPAIR = {
    **FILL,
    "format": Option(
        name="format",
        choices=dict.fromkeys((*FORMATS, "jpg", "tif", "heic", PATCH), ""),
        help="Of the answer. Default: the image's own. patch: only what was filled, to be sent as kept.",
    ),
    **options_of(MaskOptions),
    "infrared": INFRARED,
}
INSPECT = options_of(RestoreOptions)
# Names alone: a file of the server is not the client's to read.
INSPECT["preset"] = replace(INSPECT["preset"], choices=PRESETS_TOLD, check=None, help="What the picture is.")
del INSPECT["model"]
RESTORE = {
    "format": Option(
        name="format",
        choices=dict.fromkeys((*FORMATS, "jpg", "tif", "heic"), ""),
        help="Of the answer. Default: the image's own.",
    ),
    **INSPECT,
}
CROP = {
    "format": RESTORE["format"],
    "without_rim": Option(
        name="without_rim", type="boolean", default=False, help="Take white rims off, too."
    ),
    **options_of(MaskOptions, "tolerate"),
}
OF_KIND = {"repair": REPAIR, "detect": DETECT, "restore": RESTORE, "inspect": INSPECT, "crop": CROP}
"""What each kind of job takes. One word may mean two things: ``skip`` leaves out damage, or steps."""
JOB = {
    "kind": Option(name="kind", default="repair", choices=dict.fromkeys(OF_KIND, ""), help="What to do."),
    **CROP,
    **RESTORE,
    **REPAIR,
}


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What a form asks for, checked.

    Attributes:
        kind: ``repair``, ``detect``, ``restore``, ``inspect``, ``crop``, ``mask`` or ``view``.
        settings, mask_options, format, as_patch: as `remend.repairing.repair_file` takes them.
        restoration: as `remend.restoring.restore_file` takes it.
        without_rim: as `remend.cropping.look_at` takes it.
    """

    kind: str
    settings: Settings
    mask_options: MaskOptions
    format: str | None = None
    as_patch: bool = False
    restoration: RestoreOptions = field(default_factory=RestoreOptions)
    without_rim: bool = False


def read_job_options(
    fields: Mapping[str, str], table: Mapping[str, Option], kind: str | None = None
) -> JobOptions:
    """The fields of a form, each checked.

    Args:
        fields: as they came.
        table: REPAIR, DETECT, RESTORE, INSPECT, CROP, MASK, VIEW or JOB.
        kind: where the form does not say it.

    Raises:
        Problem: naming the field.
    """
    for name in fields:
        if name not in table:
            known = ", ".join(table)
            raise Problem(
                "invalid-option", f"there is no field {name[:40]!r}", name[:40], f"use one of {known}"
            )
    kind = kind or str(_read(table["kind"], fields.get("kind", "")))
    table = OF_KIND.get(kind, table)
    for name in fields:
        if name not in table and name != "kind" and fields[name].strip():
            told = f"{name} is not for {'detection' if kind == 'detect' else f'the kind {kind}'}"
            raise Problem("invalid-option", told, name, f"use {', '.join(table)}")
    given = {name: _read(one, fields.get(name, "")) for name, one in table.items()}
    if kind in ("restore", "inspect"):
        format = _format(given.get("format"))
        restoration = _made(RestoreOptions, given, "skip")
        return JobOptions(kind, Settings(), MaskOptions(), format, restoration=restoration)
    options = _made(MaskOptions, given, "skip")
    if kind == "crop":
        return JobOptions(
            kind, Settings(), options, _format(given["format"]), without_rim=given["without_rim"]
        )
    if kind != "repair":
        return JobOptions(kind, Settings(), options)
    settings = _made(Settings, given, "whole_picture")
    if given["format"] == PATCH:
        return JobOptions("repair", settings, options, as_patch=True)
    return JobOptions("repair", settings, options, _format(given["format"]))


def _read(option: Option, text: str) -> Any:
    """The value of what was sent.

    Raises:
        Problem: it cannot be meant.
    """
    try:
        return option.parse(text)
    except UsageError as error:
        if option.type == "words":
            raise _unmeant(error, option.name) from None
        raise Problem("invalid-option", str(error), option.name) from None


def _made(table: type[Table], given: Mapping[str, Any], field: str) -> Table:
    """The options of a table, and ``field`` as what to name where they do not go together."""
    try:
        return table(**{name: given[name] for name in options_of(table) if name in given})
    except UsageError as error:
        raise _unmeant(error, field) from None


def _unmeant(error: UsageError, field: str) -> Problem:
    """The library's line as what came and, after the colon, what to do."""
    detail, _, remedy = str(error).rpartition(": ")
    return Problem("invalid-option", detail, field, remedy)


def check_place(options: MaskOptions, *, mask: bool) -> None:
    """See that no field is sent that can do nothing.

    Raises:
        Problem: naming the first.
    """
    for name in options.misplaced(mask=mask):
        detail, _, remedy = OUT_OF_PLACE[mask].rpartition(": ")
        raise Problem("invalid-option", f"{name} is {detail}", name, remedy)


def _format(name: str | None) -> str | None:
    """The format's proper name, if it can be written here."""
    if name is None:
        return None
    try:
        return codec_named(name).format
    except (UsageError, ImportError):
        raise Problem("invalid-option", f"format {name} is not installed here", "format") from None


FILES = {
    "image": "The picture.",
    "mask": "White = repair; a picture of the same size, or COCO's JSON.",
    "reference": "Another date of the same scene, to fill from; once for each, sixteen at most.",
    "kept": "What earlier answers filled, as format=patch gave it: laid over the picture first.",
}


def schema_of(option: Option) -> dict[str, Any]:
    """An option as OpenAPI says it."""
    words = option.type == "words"
    found: dict[str, Any] = {"type": "string" if words else option.type, "description": option.help}
    default = option.told if words else option.default
    if default is not None:
        found["default"] = default
    if option.choices:
        found["enum"] = list(option.choices)
    if option.type in ("integer", "number"):
        found |= {"minimum": option.low, "maximum": option.high}
    return found


def form_schema(table: Mapping[str, Option], *files: str) -> dict[str, Any]:
    """A form with an image, and these files beside it, as OpenAPI says it: a route's ``openapi_extra``."""
    properties: dict[str, Any] = {
        name: {"type": "string", "format": "binary", "description": FILES[name]} for name in ("image", *files)
    }
    if "reference" in properties:
        one = {key: properties["reference"][key] for key in ("type", "format")}
        properties["reference"] = {"type": "array", "items": one, "description": FILES["reference"]}
    properties |= {name: schema_of(one) for name, one in table.items()}
    schema = {
        "type": "object",
        "required": ["image"],
        "properties": properties,
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
