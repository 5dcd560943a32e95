"""The routes of jobs under /v1: posted, asked after, listened to, cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.responses import StreamingResponse

from remend.serve.arrivals import client_of
from remend.serve.events import listen
from remend.serve.job import Job
from remend.serve.keys import MOST_LENGTH
from remend.serve.options import JOB, form_schema
from remend.serve.problems import BEHIND_TOKEN, OF_WORK, Problem
from remend.serve.reception import JOB_FILES, TheDesk, TheJob, admitted, receive, wants_mask
from remend.serve.replies import Json, ResultReply
from remend.serve.routes import IMAGE

__all__ = ["router"]

UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such job, or no more."}}

router = APIRouter(prefix="/v1", responses=BEHIND_TOKEN)


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
    async with admitted(request, desk) as arrival:
        options = await receive(request, desk, arrival, JOB, None, files=JOB_FILES)
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
    return ResultReply(job, least_rate=desk.limits.least_rate, as_mask=wants_mask(request, job))


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
