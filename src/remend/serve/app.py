"""The application: routes, the page, and what is around them."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from remend import __version__
from remend.serve.desk import Desk
from remend.serve.job_routes import router as job_routes
from remend.serve.limits import Limits
from remend.serve.metrics import Metrics
from remend.serve.page import asset_reply, error_words, read_assets
from remend.serve.problems import BEHIND_TOKEN, EVERYWHERE, Problem, problem_of_system
from remend.serve.reference import reference_page
from remend.serve.replies import Json, ProblemReply
from remend.serve.routes import router as verb_routes
from remend.serve.security import COOKIE, SESSION_SECONDS, Gate, Guard, address_of

__all__ = ["Application", "create_app"]

log = logging.getLogger("remend.serve")


class Counted:
    """Counts answers and times them, for Prometheus."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, and look at the clock and the status."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        since, status = time.perf_counter(), 499  # left before the answer

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            # The template of the route, never the path: labels must not grow with what clients send.
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in ("GET", "POST", "DELETE", "HEAD") else "other"
            self.metrics.requests.labels(route, method, str(status)).inc()
            self.metrics.request_seconds.labels(route).observe(time.perf_counter() - since)


class Application(FastAPI):
    """FastAPI with the gate outside everything, so that even its own faults are sealed.

    Attributes:
        guard: who may ask.
        desk: where the work is.
    """

    guard: Guard
    desk: Desk
    metrics: Metrics

    def build_middleware_stack(self) -> ASGIApp:
        """The gate first."""
        return Gate(Counted(super().build_middleware_stack(), self.metrics), self.guard)


def create_app(*, limits: Limits | None = None, guard: Guard | None = None) -> Application:
    """The application; workers start with its lifespan and end with it.

    Args:
        limits: None = the defaults, with one worker.
        guard: None = this machine only, no token.
    """
    limits, guard = limits or Limits(), guard or Guard("127.0.0.1", None)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with desk.open():
            yield

    app = Application(
        title="Remend",
        summary="Repairs damaged pictures.",
        description="Finds the damage, fills it, and leaves every other pixel as it was.",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    desk = Desk(limits, metrics)
    app.guard, app.desk, app.metrics = guard, desk, metrics
    app.state.desk, app.state.streams = desk, {}
    gauges: dict[str, tuple[str, Callable[[], float]]] = {
        "remend_queue_depth": ("Requests waiting or on their way in.", lambda: desk.depth),
        "remend_jobs_remembered": ("Jobs that can be asked for by id.", lambda: len(desk.records.jobs)),
        "remend_upload_bytes": ("Bytes of uploads in hand.", lambda: desk.ledger.held),
        "remend_result_bytes": ("Bytes of results kept.", lambda: desk.records.shelf.held),
        "remend_workers": ("Workers that are loaded, the spare one included.", lambda: desk.crew.loaded),
        "remend_event_streams": ("Event streams open.", lambda: len(app.state.streams)),
    }
    for name, (text, value) in gauges.items():
        metrics.watch(name, text, value)
    app.include_router(verb_routes)
    app.include_router(job_routes)
    _add_session(app, guard)
    _add_watch(app, desk, metrics)
    _add_pages(app, guard)
    _add_problems(app)
    return app


def _add_session(app: FastAPI, guard: Guard) -> None:
    @app.post(
        "/v1/session",
        summary="A cookie for a token.",
        status_code=204,
        response_class=Response,
        responses=BEHIND_TOKEN,
    )
    async def open_session(request: Request) -> Response:
        """For the page: send Authorization: Bearer TOKEN once, and the browser keeps the cookie."""
        guard.check_token(request.headers, address_of(request.scope), cookie=False)
        reply = Response(None, 204, {"Cache-Control": "no-store"})
        if guard.needs_token:
            _set_cookie(reply, guard.open_session())
        return reply

    @app.delete(
        "/v1/session",
        summary="Forget the cookie.",
        status_code=204,
        response_class=Response,
        responses=BEHIND_TOKEN,
    )
    async def end_session(request: Request) -> Response:
        """The session ends here and in the browser."""
        guard.end_session(request.headers)
        reply = Response(None, 204, {"Cache-Control": "no-store"})
        reply.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return reply


def _set_cookie(reply: Response, value: str) -> None:
    reply.set_cookie(COOKIE, value, max_age=SESSION_SECONDS, httponly=True, samesite="strict", path="/")


def _add_watch(app: FastAPI, desk: Desk, metrics: Metrics) -> None:
    @app.get("/health", summary="Whether the server is alive.", responses=EVERYWHERE)
    async def health() -> Response:
        """Always 200 while it answers at all."""
        return Json({"status": "ok"})

    @app.get(
        "/ready",
        summary="Whether work would be begun.",
        responses=EVERYWHERE | {503: {"description": "Starting, or going down."}},
    )
    async def ready() -> Response:
        """For load balancers."""
        if desk.ready:
            return Json({"status": "ready", "waiting": desk.depth})
        if desk.ending.begun:
            raise desk.ending.problem("no new work is taken")
        raise Problem("queue-full", "the workers are starting", retry_after=2)

    @app.get("/metrics", summary="For Prometheus.", response_class=Response, responses=BEHIND_TOKEN)
    async def show_metrics() -> Response:
        """Counters, times, and what is held."""
        return Response(metrics.text(), media_type=metrics.media_type)


def _add_pages(app: FastAPI, guard: Guard) -> None:
    assets, about = read_assets("static"), read_assets("reference")
    assets["lang/errors.js"] = error_words()

    @app.get("/", include_in_schema=False)
    async def page(request: Request, token: str | None = None) -> Response:
        if token is not None:
            if not guard.needs_token:
                return RedirectResponse("/", 303)
            reply = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
            _set_cookie(reply, guard.redeem(token, address_of(request.scope)))
            return reply
        if "index.html" not in assets:
            raise Problem("not-found", "this build carries no page")
        return asset_reply(assets["index.html"], request)

    @app.get("/static/{place:path}", include_in_schema=False)
    async def static(request: Request, place: str) -> Response:
        if place not in assets:
            raise Problem("not-found", "there is no such file of the page")
        return asset_reply(assets[place], request)

    @app.get("/docs", include_in_schema=False)
    async def reference() -> Response:
        return HTMLResponse(reference_page(app.openapi()))

    @app.get("/docs/reference.css", include_in_schema=False)
    async def style(request: Request) -> Response:
        return asset_reply(about["reference.css"], request)


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return ProblemReply(error)

    @app.exception_handler(ClientDisconnect)
    async def left(request: Request, error: Exception) -> Response:
        return Response(None, 400)  # nobody reads it

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            reply = ProblemReply(Problem("method-not-allowed", f"{request.method} does not go here"))
            reply.headers.update(error.headers or {})
            return reply
        return ProblemReply(Problem("not-found", "there is nothing at this address"))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return ProblemReply(Problem("invalid-option", f"{name}: {first['msg']}", name))

    @app.exception_handler(OSError)
    async def system(request: Request, error: Exception) -> Response:
        assert isinstance(error, OSError)
        known = problem_of_system(error)
        if known is None:
            raise error
        return ProblemReply(known)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        return ProblemReply(Problem("internal", f"{type(error).__name__} in the server"))
