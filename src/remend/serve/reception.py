"""What the routes share: who asks, what the request brings and asks for, and the answer waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.requests import ClientDisconnect

from remend.options import Option
from remend.serve.arrivals import Arrival, client_of
from remend.serve.desk import Desk
from remend.serve.job import Job
from remend.serve.options import JobOptions, check_place, read_job_options
from remend.serve.problems import Problem
from remend.serve.replies import ResultReply
from remend.serve.uploads import declared_bytes, receive_upload

__all__ = ["JOB_FILES", "TheDesk", "TheJob", "admitted", "answer", "receive", "take", "wants_mask"]

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


@asynccontextmanager
async def admitted(request: Request, desk: Desk) -> AsyncIterator[Arrival]:
    """A place for the request's body; what has come of it is deleted unless a job took it over."""
    client = client_of(request.client.host if request.client else None)
    async with desk.admission(client, declared_bytes(request)) as arrival:
        try:
            yield arrival
        except BaseException:
            arrival.upload.discard()
            raise


async def receive(
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


async def take(
    request: Request, desk: Desk, table: dict[str, Option], kind: str, *, files: tuple[str, ...]
) -> Job:
    """A job of the request's body, nobody but the request waiting for it."""
    async with admitted(request, desk) as arrival:
        options = await receive(request, desk, arrival, table, kind, files=files)
        return desk.submit(arrival, options, kept=False)


async def answer(request: Request, desk: Desk, job: Job) -> Response:
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
        as_mask=wants_mask(request, job),
        after=lambda: desk.release(job),
    )


async def _left(request: Request) -> None:
    """Returns when the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def wants_mask(request: Request, job: Job) -> bool:
    """Of a detection: the mask, if PNG is asked for by name and JSON is not."""
    accept = request.headers.get("accept", "")
    return job.task.options.kind == "detect" and "image/png" in accept and "application/json" not in accept
