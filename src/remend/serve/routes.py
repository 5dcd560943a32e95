"""The routes of verbs under /v1: parse, call the desk, answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from remend import __version__
from remend.fill.registry import ENTRIES
from remend.io.registry import FORMATS
from remend.options import QUALITIES, Option
from remend.saying.listening import listens
from remend.serve.options import (
    CROP,
    DETECT,
    INSPECT,
    MASK,
    OF_PAGES,
    REPAIR,
    RESTORE,
    VIEW,
    form_schema,
    schema_of,
)
from remend.serve.problems import BEHIND_TOKEN, OF_WORK
from remend.serve.reception import JOB_FILES, TheDesk, answer, take
from remend.serve.replies import Json

__all__ = ["IMAGE", "router"]

IMAGE: dict[str, Any] = {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}

router = APIRouter(prefix="/v1", responses=BEHIND_TOKEN)


@router.post(
    "/repair",
    summary="Repair a picture: its file in, the same kind of file out.",
    response_class=Response,
    responses={200: {"description": "The repaired picture.", **IMAGE}, **OF_WORK},
    openapi_extra=form_schema(REPAIR, "mask", "kept", "reference"),
)
async def repair(request: Request, desk: TheDesk) -> Response:
    """Without a mask the damage is found. What was done is said in the answer's headers."""
    job = await take(request, desk, REPAIR, "repair", files=JOB_FILES)
    return await answer(request, desk, job)


@router.post(
    "/detect",
    summary="Find the damage of a picture.",
    response_class=Response,
    responses={
        200: {
            "description": "Regions with kind, confidence and mask; with Accept: image/png the mask itself."
        },
        **OF_WORK,
    },
    openapi_extra=form_schema(DETECT),
)
async def detect(request: Request, desk: TheDesk) -> Response:
    """Scratches, cracks, dust, stains, holes; lettering only when find asks for it."""
    job = await take(request, desk, DETECT, "detect", files=("image",))
    return await answer(request, desk, job)


@router.post(
    "/restore",
    summary="Restore a picture: noise and blocks off, damage repaired, faded tones brought back.",
    response_class=Response,
    responses={200: {"description": "The restored picture.", **IMAGE}, **OF_WORK},
    openapi_extra=form_schema(RESTORE, "kept"),
)
async def restore(request: Request, desk: TheDesk) -> Response:
    """What helps, and nothing else; each step's reason and strength in the header Remend-Steps."""
    job = await take(request, desk, RESTORE, "restore", files=("image", "kept"))
    return await answer(request, desk, job)


@router.post(
    "/inspect",
    summary="Measure a picture: what a restoration would do, each step with its reason.",
    response_class=Response,
    responses={200: {"description": "Steps, and what was measured, as JSON."}, **OF_WORK},
    openapi_extra=form_schema(INSPECT, "kept"),
)
async def inspect(request: Request, desk: TheDesk) -> Response:
    """Nothing is changed, and damage is not looked for."""
    job = await take(request, desk, INSPECT, "inspect", files=("image", "kept"))
    return await answer(request, desk, job)


@router.post(
    "/crop",
    summary="Straighten and crop a scan: each print on the scanner's bed comes back as a picture.",
    response_class=Response,
    responses={
        200: {
            "description": "One print: the picture. Several: a ZIP of them. What is no scan: as it came.",
            "content": {**IMAGE["content"], "application/zip": IMAGE["content"]["image/*"]},
        },
        **OF_WORK,
    },
    openapi_extra=form_schema(CROP),
)
async def crop(request: Request, desk: TheDesk) -> Response:
    """Where each print lay, its tilt and its rim are in the header Remend-Prints."""
    job = await take(request, desk, CROP, "crop", files=("image",))
    return await answer(request, desk, job)


@router.post(
    "/mask",
    summary="The mask that a repair would use: what is sent as mask, read as the repair reads it.",
    response_class=Response,
    responses={
        200: {"description": "8-bit grey PNG of the picture's size, white = repair.", **IMAGE},
        **OF_WORK,
    },
    openapi_extra=form_schema(MASK, "mask"),
)
async def mask(request: Request, desk: TheDesk) -> Response:
    """What a truncated picture lacks is in it; without a mask it is that alone."""
    job = await take(request, desk, MASK, "mask", files=("image", "mask"))
    return await answer(request, desk, job)


@router.post(
    "/view",
    summary="A picture as PNG, upright, for clients that cannot show its format. Nothing is repaired.",
    response_class=Response,
    responses={200: {"description": "The picture as PNG.", **IMAGE}, **OF_WORK},
    openapi_extra=form_schema(VIEW),
)
async def view(request: Request, desk: TheDesk) -> Response:
    """TIFF, HEIF and others that browsers do not show; with tolerate what there is of a truncated one."""
    job = await take(request, desk, VIEW, "view", files=("image",))
    return await answer(request, desk, job)


@router.post(
    "/listen",
    summary="A spoken command as text, for the field say. English, and only with the extra voice.",
    response_class=Response,
    responses={200: {"description": "What was understood, as JSON: text."}, **OF_WORK},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["sound"],
                        "properties": {
                            "sound": {
                                "type": "string",
                                "format": "binary",
                                "description": "A WAV file of up to 15 seconds.",
                            }
                        },
                        "additionalProperties": False,
                    }
                }
            },
        }
    },
)
async def listen_to(request: Request, desk: TheDesk) -> Response:
    """Nothing is repaired: show the words to who spoke them first."""
    job = await take(request, desk, {}, "listen", files=("sound",))
    return await answer(request, desk, job)


@router.get("/methods", summary="Methods, qualities, formats and limits.")
async def methods(desk: TheDesk) -> Response:
    """What the options may be, in words that can be shown."""
    limits = desk.limits
    listed: list[dict[str, Any]] = [
        {
            "name": "auto",
            "summary": "chooses for each hole",
            "reference": "",
            "available": True,
            "pages": False,
        }
    ]
    for name, entry in ENTRIES.items():
        available = name not in desk.crew.missing
        listed.append(
            {
                "name": name,
                "summary": entry.summary,
                "reference": entry.reference,
                "available": available,
                "pages": name in OF_PAGES,
            }
        )
    return Json(
        {
            "version": __version__,
            "methods": listed,
            "qualities": [{"name": name, "summary": text} for name, text in QUALITIES.items()],
            "options": _told(REPAIR),
            "restore_options": _told(RESTORE),
            "formats": list(FORMATS),
            "listens": listens(),
            "limits": {
                "max_pixels": limits.max_pixels,
                "max_bytes": limits.max_bytes,
                "queue": limits.queue,
                "workers": limits.workers,
                "result_seconds": limits.result_seconds,
            },
        }
    )


def _told(table: dict[str, Option]) -> dict[str, Any]:
    return {name: {"label": one.label, **schema_of(one)} for name, one in table.items()}
