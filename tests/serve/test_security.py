"""Who may ask: Host × Origin × method × content type, tokens and cookies, hostile file names."""

import re
from itertools import product
from pathlib import Path

import pytest

from remend.serve.problems import Problem
from remend.serve.security import COOKIE, Guard, is_loopback
from remend.serve.uploads import safe_name

GOOD_HOSTS = ["127.0.0.1:8321", "localhost:8321", "[::1]:8321"]
BAD_HOSTS = [
    "evil.example:8321",
    "127.0.0.1.evil.example",
    "10.0.0.7:8321",
    "localhost.evil.example:8321",
    "user@127.0.0.1",
    "",
]
CALLS = [
    ("GET", "/v1/methods", None),
    ("POST", "/v1/repair", "form"),
    ("POST", "/v1/repair", "text/plain"),
    ("DELETE", "/v1/jobs/x", None),
]


def matrix() -> list[tuple[str, str | None, str, str, str | None, int]]:
    """Host, Origin, method, path, content type, and the status that is right."""
    passes = {("GET", None): 200, ("POST", "form"): 200, ("POST", "text/plain"): 415, ("DELETE", None): 404}
    rows = []
    for host, (method, path, kind) in product(GOOD_HOSTS, CALLS):
        for origin in (None, f"http://{host}"):
            rows.append((host, origin, method, path, kind, passes[method, kind]))
    for origin, (method, path, kind) in product(
        ["http://evil.example", "null", "http://127.0.0.1:9", "https://localhost.evil.example"], CALLS
    ):
        rows.append(("127.0.0.1:8321", origin, method, path, kind, 403))
    for host, (method, path, kind) in product(BAD_HOSTS, CALLS):
        rows.append((host, f"http://{host}" if method == "POST" else None, method, path, kind, 421))
    return rows


def test_the_matrix_has_its_rows():
    assert len(matrix()) >= 60


@pytest.mark.parametrize(("host", "origin", "method", "path", "kind", "status"), matrix())
def test_hosts_origins_methods_and_content_types(
    home, picture, mask, host, origin, method, path, kind, status
):
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    more = {}
    if kind == "form":
        more = {"files": {"image": picture, "mask": mask}}
    elif kind is not None:
        headers["Content-Type"] = kind
        more = {"content": b"image=1"}
    answer = home.request(method, path, headers=headers, **more)
    assert answer.status_code == status, answer.text
    assert "access-control-allow-origin" not in answer.headers
    if status in (403, 421):
        assert answer.json()["kind"] == ("foreign-origin" if status == 403 else "foreign-host")
        assert home.app.desk.depth == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_says_it_comes_from_elsewhere(home, site):
    fetch = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert home.get("/v1/methods", headers=fetch).status_code == 403
    assert home.get("/v1/methods", headers=link).status_code == 403
    assert home.get("/docs", headers=fetch).status_code == 403
    assert home.get("/docs", headers=link).status_code == 200, "a link may lead here"
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert home.get("/v1/methods", headers=own).status_code == 200


def test_a_preflight_gets_nothing(home):
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = home.request("OPTIONS", "/v1/repair", headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/health", "/v1/methods", "/v1/jobs/none", "/nowhere", "/static/none.js", "/metrics"],
)
def test_every_answer_is_sealed(home, path):
    for headers in ({}, {"Host": "evil.example"}):
        answer = home.get(path, headers=headers)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert not re.search(r"https?:|\*", policy)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in answer.headers


def test_a_fault_of_ours_is_sealed_too_and_says_nothing(home, monkeypatch):
    monkeypatch.setattr(type(home.app.desk), "ready", property(lambda self: 1 / 0))
    answer = home.get("/ready")
    assert (answer.status_code, answer.json()["kind"]) == (500, "internal")
    assert "content-security-policy" in answer.headers
    assert "Traceback" not in answer.text


TOKEN = "correct horse battery staple"


@pytest.fixture(scope="module")
def locked(make_home):
    with make_home(guard=Guard("0.0.0.0", TOKEN, ["pictures.example"])) as made:
        yield made


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
    ],
)
def test_without_the_token_nothing_is_done(locked, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in [
        ("GET", "/v1/methods"),
        ("POST", "/v1/repair"),
        ("GET", "/metrics"),
        ("POST", "/v1/session"),
    ]:
        answer = locked.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["kind"]) == (401, "token-needed")
        assert answer.headers["www-authenticate"] == "Bearer"
        locked.app.guard.guesses.good("127.0.0.1")  # what wrong ones cost is tested elsewhere
    for path in ("/health", "/ready", "/docs"):
        assert locked.get(path, headers=headers).status_code == 200


def test_with_the_token(locked):
    assert locked.get("/v1/methods", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert locked.get("/v1/methods", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_a_cookie_for_the_token(locked):
    opened = locked.post("/v1/session", headers={"Authorization": f"Bearer {TOKEN}"})
    assert opened.status_code == 204
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
    sent = {"Cookie": cookie.split(";")[0]}
    assert locked.get("/v1/methods", headers=sent).status_code == 200
    assert locked.get("/v1/methods", headers={"Cookie": f"{COOKIE}=guess"}).status_code == 401
    assert locked.post("/v1/session", headers=sent).status_code == 401, "a cookie makes no cookies"
    assert locked.request("DELETE", "/v1/session", headers=sent).status_code == 204
    assert locked.get("/v1/methods", headers=sent).status_code == 401


def test_the_link_works_once(locked):
    ticket = locked.app.guard.ticket()
    first = locked.get("/", params={"token": ticket})
    assert (first.status_code, first.headers["location"]) == (303, "/")
    sent = {"Cookie": first.headers["set-cookie"].split(";")[0]}
    assert locked.get("/v1/methods", headers=sent).status_code == 200
    again = locked.get("/", params={"token": ticket})
    assert (again.status_code, again.json()["kind"]) == (403, "link-used")
    assert locked.get("/", params={"token": TOKEN}).status_code == 403, (
        "the token itself belongs in no address"
    )


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.1.5:8321", 200),
        ("[2001:db8::1]:8321", 200),
        ("pictures.example", 200),
        ("Pictures.Example:443", 200),
        ("evil.example", 421),
        ("pictures.example.evil.example", 421),
        ("localhost", 200),
    ],
)
def test_hosts_of_an_open_address(locked, host, status):
    headers = {"Host": host, "Authorization": f"Bearer {TOKEN}"}
    assert locked.get("/v1/methods", headers=headers).status_code == status
    if status == 200:
        headers["Origin"] = f"https://{host}"
        assert locked.get("/v1/methods", headers=headers).status_code == 200, "behind a proxy that speaks TLS"


def test_sessions_are_bounded():
    guard = Guard("0.0.0.0", TOKEN)
    first = guard.open_session()
    for _ in range(256):
        guard.open_session()
    with pytest.raises(Problem):
        guard.check_token({"cookie": f"{COOKIE}={first}"}, "192.0.2.1")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_which_addresses_are_this_machine(host, here):
    assert is_loopback(host) is here


HOSTILE = [
    "../canary", "../../canary", "../../../../../../../../canary", "..\\canary", "..\\..\\canary",
    "/canary", "//canary", "C:\\canary", "\\\\host\\share\\canary", "file:///canary",
    "http://127.0.0.1/canary", "{canary}", "{full}", "{full}\x00.png", "{full}%00.png", "..%2f..%2fcanary",
    "..%5ccanary", "%2e%2e/canary", "....//canary", "./.././canary", "canary/.", "canary/..", ".", "..",
    "...", "", " ", "~/canary", "~root/canary", "$HOME/canary", "$(touch {full})", "`touch {full}`",
    "; touch {full}", "| touch {full}", "-rf", "con", "nul.png", "a" * 3000, "\u202egnp.canary",
    "canary\r\nSet-Cookie: a=b", "caf\u00e9\u0301 \U0001f600.png", '"; filename="{full}',
]  # fmt: skip


def test_there_are_enough_hostile_names():
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("template", HOSTILE)
def test_hostile_file_names_touch_no_file(home, tmp_path, monkeypatch, picture, mask, template):
    canary = tmp_path / "canary"
    canary.write_bytes(b"sing")
    stamp = canary.stat()
    name = template.replace("{full}", str(canary)).replace("{canary}", str(canary))
    monkeypatch.chdir(tmp_path)
    boundary = b"frontier"
    quoted = name.encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"")
    body = (
        b"".join(
            b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n'
            % (boundary, field, quoted[:3800], content)
            for field, content in ((b"image", picture), (b"mask", mask))
        )
        + b"--%s--\r\n" % boundary
    )
    answer = home.post(
        "/v1/repair", content=body, headers={"Content-Type": "multipart/form-data; boundary=frontier"}
    )
    assert answer.status_code in (200, 400, 422), answer.text
    after = canary.stat()
    assert canary.read_bytes() == b"sing"
    assert (after.st_mtime_ns, after.st_size) == (stamp.st_mtime_ns, stamp.st_size)
    assert after.st_atime_ns == stamp.st_atime_ns or after.st_atime_ns <= stamp.st_mtime_ns + 10**9
    assert [path.name for path in tmp_path.iterdir()] == ["canary"]
    assert b"sing" not in answer.content
    if answer.status_code == 200:
        shown = answer.headers["content-disposition"]
        assert shown.isascii()
        named = re.fullmatch(r'attachment; filename="([^"\\/]*)"; filename\*=UTF-8\'\'([^/]*)', shown)
        assert named, shown
        assert str(tmp_path) not in shown
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", HOSTILE)
def test_safe_names_are_plain(name):
    safe = safe_name(name)
    assert safe
    assert len(safe) <= 100
    assert not set(safe) & set('/\\<>:"|?*\r\n\0')
    assert safe.isprintable()
    assert not safe.startswith(".")
    assert Path(safe).name == safe


def test_the_pages_files_are_a_table_not_a_path(home):
    for path in (
        "../app.py",
        "%2e%2e/app.py",
        "..%2fapp.py",
        "/etc/passwd",
        "index.html/../../app.py",
        "editor",
    ):
        answer = home.get(f"/static/{path}")
        assert answer.status_code == 404, path
        assert b"import" not in answer.content
