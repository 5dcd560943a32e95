"""The routes under /v1: parse, call the desk, answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from remend import __version__
from remend.fill.registry import ENTRIES
from remend.io.registry import FORMATS
from remend.options import QUALITIES, Option
from remend.saying.listening import listens
from remend.serve.arrivals import Arrival, client_of
from remend.serve.desk import Desk
from remend.serve.events import listen
from remend.serve.job import Job
from remend.serve.keys import MOST_LENGTH
from remend.serve.options import (
    CROP,
    DETECT,
    INSPECT,
    JOB,
    MASK,
    OF_PAGES,
    REPAIR,
    RESTORE,
    VIEW,
    JobOptions,
    check_place,
    form_schema,
    read_job_options,
    schema_of,
)
from remend.serve.problems import BEHIND_TOKEN, OF_WORK, Problem
from remend.serve.replies import Json, ResultReply
from remend.serve.uploads import declared_bytes, receive_upload

__all__ = ["router"]

IMAGE: dict[str, Any] = {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such job, or no more."}}

WITHOUT = {
    "mask": {
        "detect": "a detection",
        "restore": "a restoration",
        "inspect": "a measurement",
        "crop": "a crop",
    },
    "kept": {"detect": "a detection", "crop": "a crop"},
    "reference": {
        "detect": "a detection",
        "restore": "a restoration",
        "inspect": "a measurement",
        "crop": "a crop",
        "mask": "a mask",
        "view": "a view",
    },
}
JOB_FILES = ("image", "mask", "kept", "reference")

router = APIRouter(prefix="/v1", responses=BEHIND_TOKEN)


def desk_of(request: Request) -> Desk:
    """The server's desk."""
    desk: Desk = request.app.state.desk
    return desk


def job_of(request: Request, job_id: str) -> Job:
    """The job of that id.

    Raises:
        Problem: ``not-found``.
    """
    job = desk_of(request).records.jobs.get(job_id)
    if job is None or not job.kept:
        raise Problem("not-found", "there is no job of this id, or not any more", remedy="post it again")
    return job


TheDesk = Annotated[Desk, Depends(desk_of)]
TheJob = Annotated[Job, Depends(job_of)]


@router.post(
    "/repair",
    summary="Repair a picture: its file in, the same kind of file out.",
    response_class=Response,
    responses={200: {"description": "The repaired picture.", **IMAGE}, **OF_WORK},
    openapi_extra=form_schema(REPAIR, "mask", "kept", "reference"),
)
async def repair(request: Request, desk: TheDesk) -> Response:
    """Without a mask the damage is found. What was done is said in the answer's headers."""
    job = await _take(request, desk, REPAIR, "repair", files=JOB_FILES)
    return await _answer(request, desk, job)


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
    job = await _take(request, desk, DETECT, "detect", files=("image",))
    return await _answer(request, desk, job)


@router.post(
    "/restore",
    summary="Restore a picture: noise and blocks off, damage repaired, faded tones brought back.",
    response_class=Response,
    responses={200: {"description": "The restored picture.", **IMAGE}, **OF_WORK},
    openapi_extra=form_schema(RESTORE, "kept"),
)
async def restore(request: Request, desk: TheDesk) -> Response:
    """What helps, and nothing else; each step's reason and strength in the header Remend-Steps."""
    job = await _take(request, desk, RESTORE, "restore", files=("image", "kept"))
    return await _answer(request, desk, job)


@router.post(
    "/inspect",
    summary="Measure a picture: what a restoration would do, each step with its reason.",
    response_class=Response,
    responses={200: {"description": "Steps, and what was measured, as JSON."}, **OF_WORK},
    openapi_extra=form_schema(INSPECT, "kept"),
)
async def inspect(request: Request, desk: TheDesk) -> Response:
    """Nothing is changed, and damage is not looked for."""
    job = await _take(request, desk, INSPECT, "inspect", files=("image", "kept"))
    return await _answer(request, desk, job)


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
    job = await _take(request, desk, CROP, "crop", files=("image",))
    return await _answer(request, desk, job)


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
    job = await _take(request, desk, MASK, "mask", files=("image", "mask"))
    return await _answer(request, desk, job)


@router.post(
    "/view",
    summary="A picture as PNG, upright, for clients that cannot show its format. Nothing is repaired.",
    response_class=Response,
    responses={200: {"description": "The picture as PNG.", **IMAGE}, **OF_WORK},
    openapi_extra=form_schema(VIEW),
)
async def view(request: Request, desk: TheDesk) -> Response:
    """TIFF, HEIF and others that browsers do not show; with tolerate what there is of a truncated one."""
    job = await _take(request, desk, VIEW, "view", files=("image",))
    return await _answer(request, desk, job)


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
    job = await _take(request, desk, {}, "listen", files=("sound",))
    return await _answer(request, desk, job)


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


@router.post(
    "/jobs",
    summary="Repair, detect, restore, inspect or crop without waiting.",
    status_code=202,
    response_class=Response,
    responses={202: {"description": "The job; Location says where it is."}, **OF_WORK},
    openapi_extra=form_schema(JOB, "mask", "kept", "reference"),
)
async def post_job(
    request: Request,
    desk: TheDesk,
    idempotency_key: Annotated[str | None, Header(description="Makes a repeat harmless.")] = None,
) -> Response:
    """The fields of the kind's own route, and `kind`."""
    if idempotency_key is not None and not 0 < len(idempotency_key) <= MOST_LENGTH:
        raise Problem("invalid-option", f"Idempotency-Key must have 1 to {MOST_LENGTH} characters")
    replayed = False
    async with _admitted(request, desk) as arrival:
        options = await _receive(request, desk, arrival, JOB, None, files=JOB_FILES)
        upload = arrival.upload
        known: Job | None = None
        if idempotency_key is not None:
            fingerprint = await asyncio.to_thread(upload.fingerprint)
            known = desk.records.keys.find(idempotency_key, fingerprint)
        if known is not None:
            upload.discard()
            job, replayed = known, True
        else:
            job = desk.submit(arrival, options, kept=True)
            if idempotency_key is not None:
                desk.records.keys.keep(idempotency_key, fingerprint, job)
    headers = {"Location": f"/v1/jobs/{job.id}"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Json(job.as_json(result_seconds=desk.limits.result_seconds), 202, headers)


@router.get("/jobs/{job_id}", summary="How a job stands.", response_class=Response, responses=UNKNOWN)
async def get_job(job: TheJob, desk: TheDesk) -> Response:
    """State, place in the queue, stage, progress; at the end the report or the problem."""
    return Json(job.as_json(result_seconds=desk.limits.result_seconds))


@router.get(
    "/jobs/{job_id}/result",
    summary="What a job made.",
    response_class=Response,
    responses={
        200: {"description": "What the waiting call would have answered.", **IMAGE},
        **UNKNOWN,
        409: {"description": "Not ready yet; see Retry-After."},
        410: {"description": "The job was cancelled."},
    },
)
async def get_result(request: Request, job: TheJob, desk: TheDesk) -> Response:
    """As often as wished, until it expires."""
    if job.state == "failed":
        assert job.problem is not None
        raise job.problem
    if job.state == "cancelled":
        raise Problem("cancelled", "the job was cancelled, so there is no result")
    if job.state != "done":
        raise Problem("not-ready", f"the job is {job.state}", retry_after=desk.line.seconds_left(job))
    job.fetched = True
    return ResultReply(job, least_rate=desk.limits.least_rate, as_mask=_wants_mask(request, job))


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel a job, or throw its result away.",
    response_class=Response,
    responses=UNKNOWN,
)
async def delete_job(job: TheJob, desk: TheDesk) -> Response:
    """Answers when its place is free, with the job as it stands then. Again is fine."""
    desk.cancel(job)
    while not job.over:
        await job.changed.wait()
    return Json(job.as_json(result_seconds=desk.limits.result_seconds))


@router.get(
    "/jobs/{job_id}/events",
    summary="A job's progress as server-sent events.",
    response_class=Response,
    responses={
        200: {
            "description": "Events `progress` and, as the last one, `end`.",
            "content": {"text/event-stream": {}},
        },
        **UNKNOWN,
    },
)
async def get_events(
    request: Request,
    job: TheJob,
    desk: TheDesk,
    cancel_on_leave: Annotated[
        bool, Query(description="Cancel the job when its last such listener leaves before the end.")
    ] = False,
) -> Response:
    """Each carries the job, as GET /v1/jobs/{job_id} shows it."""
    streams: dict[object, str | None] = request.app.state.streams
    client, mark = client_of(request.client.host if request.client else None), object()
    own = sum(other == client for other in streams.values()) if client is not None else 0
    most = desk.limits.streams
    if len(streams) >= most or own >= max(1, desk.limits.client_share * most):
        raise Problem("queue-full", "too many event streams are open", retry_after=5)

    async def counted() -> AsyncGenerator[bytes]:
        streams[mark] = client
        try:
            events = listen(
                job, result_seconds=desk.limits.result_seconds, tied=cancel_on_leave, leave=desk.cancel
            )
            try:
                async for event in events:
                    yield event
            finally:
                await events.aclose()
        finally:
            streams.pop(mark, None)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(counted(), media_type="text/event-stream", headers=headers)


@asynccontextmanager
async def _admitted(request: Request, desk: Desk) -> AsyncIterator[Arrival]:
    """A place for the request's body; what has come of it is deleted unless a job took it over."""
    client = client_of(request.client.host if request.client else None)
    async with desk.admission(client, declared_bytes(request)) as arrival:
        try:
            yield arrival
        except BaseException:
            arrival.upload.discard()
            raise


async def _receive(
    request: Request,
    desk: Desk,
    arrival: Arrival,
    table: dict[str, Option],
    kind: str | None,
    *,
    files: tuple[str, ...],
) -> JobOptions:
    """Read the body; what it asks for."""
    upload = await receive_upload(request, arrival, desk.arrivals, files=files)
    if files[0] not in upload.files:
        what = {"image": "picture", "sound": "WAV file"}[files[0]]
        told = f"add the {what} as the field {files[0]}"
        raise Problem("missing-field", f"the form has no {files[0]}", files[0], told)
    options = read_job_options(upload.fields, table, kind)
    if options.kind in ("repair", "mask"):
        check_place(options.mask_options, mask="mask" in upload.files)
    for field, what in (("mask", "mask"), ("kept", "patch"), ("reference", "other date")):
        came = any(name.split(" ")[0] == field for name in upload.files)
        if came and options.kind in WITHOUT[field]:
            told = f"{WITHOUT[field][options.kind]} takes no {what}"
            raise Problem("invalid-option", told, field, "leave it out")
    return options


async def _take(
    request: Request, desk: Desk, table: dict[str, Option], kind: str, *, files: tuple[str, ...]
) -> Job:
    async with _admitted(request, desk) as arrival:
        options = await _receive(request, desk, arrival, table, kind, files=files)
        return desk.submit(arrival, options, kept=False)


async def _answer(request: Request, desk: Desk, job: Job) -> Response:
    """Wait for the end; stop the work when nobody is there any more to wait."""
    leaving = asyncio.create_task(_left(request))
    try:
        while not job.over:
            changing = asyncio.create_task(job.changed.wait())
            try:
                await asyncio.wait({changing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changing.cancel()
            if leaving.done():
                raise ClientDisconnect
        if job.state != "done":
            raise job.problem or Problem("cancelled", "the work was stopped")
    except BaseException:
        desk.release(job)
        raise
    finally:
        leaving.cancel()
    return ResultReply(
        job,
        least_rate=desk.limits.least_rate,
        as_mask=_wants_mask(request, job),
        after=lambda: desk.release(job),
    )


async def _left(request: Request) -> None:
    """Returns when the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _wants_mask(request: Request, job: Job) -> bool:
    """Of a detection: the mask, if PNG is asked for by name and JSON is not."""
    accept = request.headers.get("accept", "")
    return job.task.options.kind == "detect" and "image/png" in accept and "application/json" not in accept
