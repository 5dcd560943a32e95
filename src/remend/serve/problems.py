"""Errors as RFC 9457 problem details: what came, which field, what to do next."""

from __future__ import annotations

import errno
from dataclasses import asdict, dataclass
from typing import Any

from remend.errors import (
    AmbiguousError,
    Choice,
    DecodeError,
    FormatError,
    InternalError,
    LimitError,
    MaskError,
    ModelError,
    PictureError,
    RemendError,
    ResourceError,
    UsageError,
)

__all__ = [
    "BEHIND_TOKEN",
    "EVERYWHERE",
    "KINDS",
    "MEDIA_TYPE",
    "OF_WORK",
    "Kind",
    "Problem",
    "problem_of",
    "problem_of_system",
]

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its status, its title, and what usually helps."""

    status: int
    title: str
    remedy: str


KINDS: dict[str, Kind] = {
    "bad-request": Kind(400, "The request cannot be read", "send a well-formed multipart/form-data body"),
    "token-needed": Kind(
        401, "A token is needed", "send Authorization: Bearer TOKEN, or open the printed link"
    ),
    "foreign-origin": Kind(403, "Asked from another site", "open the page from this server itself"),
    "link-used": Kind(403, "The link was used already", "give the token on the page, or restart the server"),
    "not-found": Kind(404, "There is no such thing", "look into /docs for what there is"),
    "method-not-allowed": Kind(405, "Not with this method", "look into /docs for what there is"),
    "upload-too-slow": Kind(408, "The upload took too long", "send it again over a better line"),
    "not-ready": Kind(409, "Not ready yet", "ask again, or listen to the job's events"),
    "cancelled": Kind(410, "The job was cancelled", "post it again"),
    "too-many-bytes": Kind(
        413, "Too many bytes", "send a smaller file, or start the server with more --max-bytes"
    ),
    "too-many-pixels": Kind(
        413, "Too many pixels", "send a smaller picture, or start the server with more --max-pixels"
    ),
    "not-multipart": Kind(415, "Not a form", "send the picture as multipart/form-data"),
    "not-a-picture": Kind(
        415, "Not a picture that can be read", "send JPEG, PNG, TIFF, WebP, BMP, GIF or AVIF"
    ),
    "foreign-host": Kind(
        421, "Asked under a foreign name", "use the address that the server printed, or --allow-host"
    ),
    "invalid-option": Kind(422, "An option that cannot be meant", "correct it, or leave it out"),
    "ambiguous": Kind(422, "Several things fit", "send pick with the number of one, or all"),
    "missing-field": Kind(422, "A field is missing", "add it to the form"),
    "undecodable": Kind(422, "The picture is damaged beyond reading", "send the whole file"),
    "unworkable": Kind(
        422, "This picture brings out a fault of ours", "send another picture, and please report this one"
    ),
    "mask-mismatch": Kind(
        422, "The mask does not fit", "give a mask of the picture's size, or set resize_mask=true"
    ),
    "model-missing": Kind(422, "The method's model is missing", "choose another method of /v1/methods"),
    "key-reused": Kind(
        422, "The idempotency key belongs to another request", "use a new key for a new request"
    ),
    "cannot-write": Kind(
        422, "The format cannot hold this picture", "choose another format, or leave it out"
    ),
    "too-many-guesses": Kind(
        429, "Too many wrong tokens", "give the right token after the time in Retry-After"
    ),
    "worker-died": Kind(500, "The worker died", "try a smaller picture or quality=fast; the server goes on"),
    "internal": Kind(500, "A fault of ours", "try again; if it happens again, please report it"),
    "queue-full": Kind(503, "Too much to do at the moment", "try again after the time in Retry-After"),
    "draining": Kind(503, "The server is going down", "try again after the time in Retry-After"),
    "out-of-memory": Kind(503, "Out of memory", "try again later, or with a smaller picture"),
    "out-of-files": Kind(503, "Too many open files", "try again after the time in Retry-After"),
    "took-too-long": Kind(504, "The work took too long", "try quality=fast, or a smaller picture or mask"),
    "disk-full": Kind(
        507, "The disk is full", "make room where the server keeps its pictures (TMPDIR), or try again later"
    ),
}


def _told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI tells that a route may answer these problems."""
    schema = {
        "type": "object",
        "required": ["type", "title", "status", "detail", "kind", "remedy"],
        "properties": {
            **{name: {"type": "string"} for name in ("type", "title", "detail", "kind", "remedy")},
            "status": {"type": "integer"},
            **{name: {"type": ["string", "null"]} for name in ("field", "consent")},
            "choices": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "number": {"type": "integer"},
                        "name": {"type": "string"},
                        "box": {"type": "array", "items": {"type": "integer"}},
                    },
                },
            },
        },
    }
    return {
        status: {
            "description": "; ".join(kind.title for kind in KINDS.values() if kind.status == status),
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


EVERYWHERE = _told(403, 421, 500)
"""What any address may answer, for a route's ``responses``."""
BEHIND_TOKEN = EVERYWHERE | _told(401, 429)
"""What an address may answer where a token is asked for."""
OF_WORK = _told(400, 408, 413, 415, 422, 503, 504, 507)
"""What an address may answer that takes a picture, beside these."""

FILES = ("image: ", "mask: ", "kept: ", "reference ")  # what a message about a file begins with
CONSENTS = {"--tolerate": "tolerate", "--yes": "yes", "--resize-mask": "resize_mask"}
"""Flags that the library's lines offer: sent as these fields, they let it pass."""


class Problem(Exception):  # noqa: N818 - what RFC 9457 calls it
    """An error answer; raised anywhere under a request, and picklable, so that workers can send it.

    Args:
        kind: a key of KINDS.
        detail: what came and what was expected, one line.
        field: of the form, which it is about.
        remedy: what to do next; None = what usually helps.
        retry_after: seconds.
        consent: the field of the form that lets it pass when it is sent as true; None = none does.
        choices: what there is to choose from, where several things fit.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        field: str | None = None,
        remedy: str | None = None,
        retry_after: int | None = None,
        consent: str | None = None,
        choices: tuple[Choice, ...] = (),
    ) -> None:
        super().__init__(kind, detail, field, remedy, retry_after, consent, choices)
        self.kind, self.detail, self.field, self.retry_after = kind, detail, field, retry_after
        self.consent, self.choices = consent, choices
        self.remedy = remedy or KINDS[kind].remedy

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.kind].status

    def as_json(self) -> dict[str, Any]:
        """The body."""
        return {
            "type": f"urn:remend:problem:{self.kind}",
            "title": KINDS[self.kind].title,
            "status": self.status,
            "detail": self.detail,
            "kind": self.kind,
            "field": self.field,
            "remedy": self.remedy,
            "consent": self.consent,
            **({"choices": [asdict(choice) for choice in self.choices]} if self.choices else {}),
        }


def problem_of_system(error: OSError) -> Problem | None:
    """What the system's refusal is to a client; None = no limit was reached, so it is a fault of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem("disk-full", "the picture cannot be kept: no space is left", retry_after=60)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return Problem("out-of-files", "no more files can be opened at the moment", retry_after=5)
    if error.errno == errno.ENOMEM:
        return Problem("out-of-memory", "there is no memory left", retry_after=10)
    return None


def problem_of(error: RemendError, *, stage: str) -> Problem:
    """What the library's error is to a client.

    Args:
        error: its message names ``image``, ``mask`` or ``kept`` first where it is about a file.
        stage: of the repair, in which it was raised.
    """
    if isinstance(error, AmbiguousError):
        return Problem("ambiguous", error.question, "say", choices=error.choices)
    detail, field = str(error), "image"
    head, _, tail = detail.rpartition(": ")
    if "--" in tail:  # advice for the command line; the kind has its own for the form
        detail = head
    extra = tail.removeprefix("pip install ").strip('"') if tail.startswith("pip install ") else None
    if extra:  # who looks at a page cannot install anything, and knows the file by its name
        detail = head if head.startswith(FILES) else f"image: {head}"
    consent = next((name for flag, name in CONSENTS.items() if flag in tail), None)
    remedy = "send the whole file, or tolerate=true" if consent == "tolerate" else None
    if extra:
        remedy = f"save it as JPEG or PNG first, or have {extra} installed where the server runs"
    if detail.startswith("kept: ") or (isinstance(error, MaskError) and stage == "read"):
        field = "kept"
    elif detail.startswith("reference "):
        field = "reference"
    elif detail.startswith("mask: ") or isinstance(error, MaskError):
        field = "mask"
    if stage == "write" and isinstance(error, FormatError | UsageError):
        return Problem("cannot-write", detail, "format")
    if field == "kept" and isinstance(error, MaskError):
        return Problem("mask-mismatch", head, field, "send the patch that was made for this picture")
    if field == "mask" and isinstance(error, MaskError) and "--resize-mask" not in tail:
        remedy = (
            tail.replace("--mask-polarity ", "mask_polarity=")
            .replace("--mask-polarity", "mask_polarity")
            .replace("give --yes", "set yes=true")
        )
        return Problem("mask-mismatch", head, field, remedy, consent=consent)
    kinds: tuple[tuple[type[RemendError], str, str | None], ...] = (
        (MaskError, "mask-mismatch", field),
        (LimitError, "too-many-pixels", field),
        (DecodeError, "undecodable", field),
        (FormatError, "not-a-picture", field),
        (PictureError, "undecodable", field),
        (ModelError, "model-missing", "method"),
        (UsageError, "invalid-option", field if field == "reference" else None),
        (InternalError, "unworkable", None),
    )
    for kind, name, about in kinds:
        if isinstance(error, kind):
            return Problem(name, detail, about, remedy, consent=consent)
    if isinstance(error, ResourceError):
        return Problem("out-of-memory", detail, retry_after=10)
    return Problem("internal", detail)
