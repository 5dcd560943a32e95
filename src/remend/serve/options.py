"""The fields of the forms: one table that is checked against, and that the reference is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from remend.damage.given import POLARITIES
from remend.errors import UsageError
from remend.fill.catalogue import ENTRIES
from remend.finding import MaskOptions
from remend.io.registry import FORMATS, codec_named
from remend.kinds import FOUND_KINDS, GROUPS, parse_kinds
from remend.pipeline import Settings
from remend.plan.policy import QUALITIES
from remend.serve.problems import Problem

__all__ = ["DETECT", "JOB", "MASK", "REPAIR", "VIEW", "Option", "Wish", "form_schema", "read_wish"]

PATCH = "patch"  # a format of answers that is none of files
LARGEST_SEED = 2**53 - 1  # what every client's numbers can hold
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One field of a form.

    Attributes:
        type: of its value.
        default: when it is missing or empty.
        text: for the reference.
        choices: all there are, for text.
        check: for text that is made of words: raises UsageError where one cannot be meant.
        low, high: bounds, for numbers.
    """

    type: Literal["string", "integer", "number", "boolean"]
    default: Value
    text: str
    choices: tuple[str, ...] = ()
    check: Callable[[str], object] | None = None
    low: float = 0
    high: float = 1

    def read(self, name: str, text: str) -> Value:
        """The value of what was sent.

        Raises:
            Problem: it cannot be meant.
        """
        text = text.strip()
        if not text:
            return self.default
        if self.type == "boolean":
            if text.lower() in ("true", "1", "on", "yes"):
                return True
            if text.lower() in ("false", "0", "off", "no"):
                return False
            raise self._refused(name, text, "true or false")
        if self.check is not None:
            try:
                self.check(text)
            except UsageError as error:
                raise _unmeant(error, name) from None
            return text
        if self.type == "string":
            if text in self.choices:
                return text
            raise self._refused(name, text, f"one of {', '.join(self.choices)}")
        expected = (
            f"a {'whole ' if self.type == 'integer' else ''}number from {self.low:g} to {self.high:.16g}"
        )
        try:
            number = int(text) if self.type == "integer" else float(text)
        except ValueError:
            raise self._refused(name, text, expected) from None
        if not self.low <= number <= self.high:
            raise self._refused(name, text, expected)
        return number

    def _refused(self, name: str, text: str, expected: str) -> Problem:
        shown = text if len(text) <= 40 else text[:40] + "…"
        return Problem("invalid-option", f"{name} must be {expected}, got {shown!r}", name)

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        found: dict[str, Any] = {"type": self.type, "description": self.text}
        if self.default is not None:
            found["default"] = self.default
        if self.choices:
            found["enum"] = list(self.choices)
        if self.type in ("integer", "number"):
            found |= {"minimum": self.low, "maximum": self.high}
        return found


DILATE = Option(
    type="integer",
    default=None,
    high=500,
    text="Grow the hole, in pixels. Default: 2 for found damage, 0 for a mask.",
)
KINDS = f"{', '.join(FOUND_KINDS)}, and the groups {' and '.join(GROUPS)}"
FIND: dict[str, Option] = {
    "sensitivity": Option(
        type="number", default=0.5, text="Of finding damage: 0 = only what is sure, 1 = all that might be."
    ),
    "find": Option(
        type="string",
        default="damage",
        check=parse_kinds,
        text=f"Exactly the kinds to look for, with commas between: {KINDS}.",
    ),
    "skip": Option(
        type="string",
        default="",
        check=lambda text: parse_kinds("all", text),
        text="The kinds not to look for; words as for find.",
    ),
    "force": Option(type="boolean", default=False, text="Search documents, drawings and screenshots, too."),
}
VIEW: dict[str, Option] = {
    "tolerate": Option(
        type="boolean",
        default=False,
        text="Open a truncated JPEG or PNG as far as it goes; what is missing is damage.",
    ),
}
MASK: dict[str, Option] = {
    "mask_polarity": Option(type="string", default="white", choices=POLARITIES, text="What marks the hole."),
    "dilate_px": DILATE,
    "resize_mask": Option(type="boolean", default=False, text="Accept a mask of another size."),
    "yes": Option(
        type="boolean", default=False, text="A mask that marks over four fifths of the picture is meant."
    ),
    **VIEW,
}
REPAIR: dict[str, Option] = {
    "method": Option(
        type="string", default="auto", choices=("auto", *ENTRIES), text="How to fill; see /v1/methods."
    ),
    "quality": Option(type="string", default="balanced", choices=QUALITIES, text="What auto may spend."),
    "seed": Option(type="integer", default=0, high=LARGEST_SEED, text="Same seed, same pixels."),
    "format": Option(
        type="string",
        default=None,
        choices=(*FORMATS, "jpg", "tif", "heic", PATCH),
        text="Of the answer. Default: the image's own. patch: only what was filled, to be sent as kept.",
    ),
    **MASK,
    **FIND,
    "grain": Option(type="number", default=1.0, high=2, text="Grain of smooth fills; 1 = as around."),
    "denoise": Option(type="number", default=0.0, text="Denoise what was filled."),
    "sharpen": Option(type="number", default=0.0, high=3, text="Sharpen what was filled."),
    "whole_picture": Option(type="boolean", default=False, text="Denoise and sharpen everything."),
    "repair_alpha": Option(type="boolean", default=False, text="Fill the alpha channel too."),
}
DETECT: dict[str, Option] = {
    **FIND,
    **VIEW,
    "dilate_px": Option(type="integer", default=2, high=500, text="Grow what was found, in pixels."),
}
JOB: dict[str, Option] = {
    "kind": Option(type="string", default="repair", choices=("repair", "detect"), text="What to do."),
    **REPAIR,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form asks for, checked.

    Attributes:
        kind: ``repair``, ``detect``, ``mask`` or ``view``.
        settings, mask_options, format, as_patch: as `remend.job.repair_file` takes them.
    """

    kind: str
    settings: Settings
    mask_options: MaskOptions
    format: str | None = None
    as_patch: bool = False


def read_wish(fields: Mapping[str, str], table: Mapping[str, Option], kind: str | None = None) -> Wish:
    """The fields of a form, each checked.

    Args:
        fields: as they came.
        table: REPAIR, DETECT, MASK, VIEW or JOB.
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
    given = {name: option.read(name, fields.get(name, "")) for name, option in table.items()}
    kind = kind or str(given["kind"])
    if kind == "detect":
        for name in fields:
            if name not in DETECT and name != "kind" and fields[name].strip():
                raise Problem(
                    "invalid-option", f"{name} is not for detection", name, f"use {', '.join(DETECT)}"
                )
        given = {name: option.read(name, fields.get(name, "")) for name, option in DETECT.items()}
    options = _mask_options(fields, given)
    if kind != "repair":
        return Wish(kind, Settings(), options)
    settings = Settings(**{name: cast(Any, given[name]) for name in Settings.__slots__})
    format = cast("str | None", given["format"])
    if format == PATCH:
        return Wish("repair", settings, options, as_patch=True)
    return Wish("repair", settings, options, _format(format))


def _mask_options(fields: Mapping[str, str], given: Mapping[str, Value]) -> MaskOptions:
    """How the mask is read or found."""
    names = ("sensitivity", "force", *MASK)
    read = {name: cast(Any, given[name]) for name in names if name in given}
    words = {name: fields.get(name, "").strip() for name in ("find", "skip")}
    read |= {name: (word,) for name, word in words.items() if word}
    try:
        return MaskOptions(**read)
    except UsageError as error:
        raise _unmeant(error, "skip") from None


def _unmeant(error: UsageError, field: str) -> Problem:
    """The library's line as what came and, after the colon, what to do."""
    detail, _, remedy = str(error).rpartition(": ")
    return Problem("invalid-option", detail, field, remedy)


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
    "kept": "What earlier answers filled, as format=patch gave it: laid over the picture first.",
}


def form_schema(table: Mapping[str, Option], *files: str) -> dict[str, Any]:
    """A form with an image, and these files beside it, as OpenAPI says it: a route's ``openapi_extra``."""
    properties: dict[str, Any] = {
        name: {"type": "string", "format": "binary", "description": FILES[name]} for name in ("image", *files)
    }
    properties |= {name: option.schema() for name, option in table.items()}
    schema = {
        "type": "object",
        "required": ["image"],
        "properties": properties,
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
