"""Who may ask: Host, Origin and token are looked at before anything else; every answer is sealed."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Collection, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from remend.serve.guesses import Guesses
from remend.serve.problems import Problem
from remend.serve.replies import ProblemReply

__all__ = ["COOKIE", "Gate", "Guard", "address_of", "is_loopback"]

COOKIE = "remend-session"
SESSION_SECONDS = 7 * 86400
MOST_SESSIONS = 256
BEHIND_TOKEN = ("/v1/", "/metrics")
WITHOUT_TOKEN = ("/v1/session",)  # it looks at the token itself
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SEALS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}


def is_loopback(host: str) -> bool:
    """Whether an address to bind to is reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """Hosts, origins, the token and the cookies that stand for it.

    Args:
        bound: the address that the server listens on.
        token: None = nobody needs one.
        names: further host names that requests may be for.
    """

    def __init__(self, bound: str, token: str | None, names: Collection[str] = ()) -> None:
        self.only_here = is_loopback(bound)
        self.names = {name.lower() for name in (*names, bound, "localhost")}
        self._token = None if token is None else _digest(token)
        self._ticket: bytes | None = None
        self.guesses = Guesses()
        self._sessions: dict[bytes, float] = {}  # digest -> end

    @property
    def needs_token(self) -> bool:
        """Whether there is a token at all."""
        return self._token is not None

    def ticket(self) -> str:
        """A secret for a link, good for one session; a new one replaces it."""
        made = secrets.token_urlsafe(24)
        self._ticket = _digest(made)
        return made

    def redeem(self, ticket: str, address: str) -> str:
        """A session for the ticket.

        Args:
            ticket: of the link.
            address: who asks; wrong ones cost it time.

        Raises:
            Problem: ``link-used`` or ``too-many-guesses``.
        """
        self.guesses.check(address)
        if self._ticket is None or not hmac.compare_digest(self._ticket, _digest(ticket)):
            self.guesses.wrong(address)
            raise Problem("link-used", "the link's token is not good, or not good any more")
        self._ticket = None
        return self.open_session()

    def open_session(self) -> str:
        """The value of a new cookie."""
        now = time.monotonic()
        self._sessions = {key: end for key, end in self._sessions.items() if end > now}
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        made = secrets.token_urlsafe(32)
        self._sessions[_digest(made)] = now + SESSION_SECONDS
        return made

    def end_session(self, headers: Mapping[str, str]) -> None:
        """Forget the cookie's session."""
        self._sessions.pop(_digest(_cookie(headers)), None)

    def check_address(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Host, Origin and what browsers say about where a request comes from.

        A page of another site can make a browser ask here (DNS rebinding, forms, images); it cannot
        forge these headers.

        Raises:
            Problem: ``foreign-host`` or ``foreign-origin``.
        """
        host = headers.get("host", "")
        if not self._known(host):
            raise Problem(
                "foreign-host", f"the request is for {_short(host) or 'no host'}, which is not this server"
            )
        origin = headers.get("origin")
        if origin is not None and not _same(origin, host):
            raise Problem("foreign-origin", f"a page of {_short(origin)} may not ask here")
        site = headers.get("sec-fetch-site", "none")
        if site not in ("same-origin", "none"):
            follows_link = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
            if not follows_link or path.startswith(BEHIND_TOKEN):
                raise Problem("foreign-origin", "a page of another site may not ask here")

    def check_token(self, headers: Mapping[str, str], address: str, *, cookie: bool = True) -> None:
        """The token, or a cookie that stands for it.

        Args:
            headers: of the request.
            address: who asks. Wrong tokens cost it time, in which no token of it is looked at; a cookie is,
                so that who guesses shuts out nobody who has opened the page.
            cookie: whether one will do.

        Raises:
            Problem: ``token-needed`` or ``too-many-guesses``.
        """
        if self._token is None:
            return
        if cookie:
            asked, now = _digest(_cookie(headers)), time.monotonic()
            # Looked up by digest: how long it takes tells nothing about the value.
            if self._sessions.get(asked, 0.0) > now:
                return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and given.strip():
            self.guesses.check(address)
            if hmac.compare_digest(self._token, _digest(given.strip())):
                self.guesses.good(address)
                return
            self.guesses.wrong(address)
        raise Problem(
            "token-needed", "this server was started with a token, and the request has none that is good"
        )

    def _known(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, _ = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if not name or parts.netloc != host or parts.username is not None:
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self.names
        # Rebinding needs a name: an address says itself where it leads.
        return address.is_loopback or not self.only_here


def _same(origin: str, host: str) -> bool:
    """Whether an Origin is the Host's own."""
    try:
        there = urlsplit(origin)
        here = urlsplit(f"//{host}")
        usual = {"http": 80, "https": 443}.get(there.scheme)  # a proxy in front may speak TLS
        if usual is None or there.path or there.query or there.fragment or there.username is not None:
            return False
        return (there.hostname, there.port or usual) == (here.hostname, here.port or usual)
    except ValueError:
        return False


def _cookie(headers: Mapping[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def address_of(scope: Scope) -> str:
    """Where a request comes from; whoever shares an address shares what it costs."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= 60 else shown[:60] + "…"


class Gate:
    """The outermost layer: refuses strangers, and seals every answer.

    Args:
        app: what is behind.
        guard: who may pass.
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app, self.guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or answer with a problem."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self.app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SEALS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers, path = Headers(scope=scope), scope["path"]
        try:
            if len(headers.getlist("host")) != 1 or len(headers.getlist("origin")) > 1:
                raise Problem("foreign-host", "the request must name one host, and one origin at most")
            self.guard.check_address(scope["method"], path, headers)
            if path.startswith(BEHIND_TOKEN) and path not in WITHOUT_TOKEN:
                self.guard.check_token(headers, address_of(scope))
        except Problem as problem:
            await ProblemReply(problem)(scope, receive, sealed)
            return
        await self.app(scope, receive, sealed)
