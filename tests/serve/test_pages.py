"""What a browser is served: the page, the reference, metrics; nothing from elsewhere."""

import html
import json
import re

from fastapi.routing import APIRoute

from remend.fill.registry import ENTRIES
from remend.options import QUALITIES
from remend.serve.job_routes import router as job_routes
from remend.serve.options import REPAIR
from remend.serve.page import read_assets
from remend.serve.problems import KINDS
from remend.serve.routes import router

from .conftest import until


def test_the_page_and_its_files(home):
    assets = read_assets()
    page = home.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert home.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    for name in assets:
        answer = home.get(f"/static/{name}")
        assert answer.status_code == 200
        assert answer.content == assets[name].content
    script = next(name for name in assets if name.endswith(".js"))
    assert home.get(f"/static/{script}").headers["content-type"].startswith("text/javascript")


def test_the_page_tells_an_option_as_the_table_does(home):
    page = home.get("/").text
    assert not re.search(r"\{\w+:\w+\}", page)
    for name in ("sensitivity", "force"):
        assert html.escape(REPAIR[name].help) in page
    for name in ("sensitivity", "quality", "method"):
        assert f">{REPAIR[name].label}" in page
        assert f'data-default="{REPAIR[name].default}"' in page
    said = home.get("/v1/methods").json()
    assert {one["name"]: one["summary"] for one in said["qualities"]} == QUALITIES
    for name, one in REPAIR.items():
        told = said["options"][name]
        assert (told["label"], told["description"]) == (one.label, one.help)
        if one.high is not None:
            assert (told["minimum"], told["maximum"]) == (one.low, one.high)


def test_the_reference_names_every_route_and_loads_nothing(home):
    page = home.get("/docs")
    assert page.status_code == 200
    assert not re.search(r"(?:src|href)=['\"](?:https?:)?//", page.text)
    assert "<script" not in page.text
    assert "style=" not in page.text
    for route in (*router.routes, *job_routes.routes):
        assert isinstance(route, APIRoute)
        assert route.path in page.text
    for name in ("dilate_px", "mask_polarity", "Idempotency-Key".lower(), "cancel_on_leave", "sharpen"):
        assert name in page.text
    assert home.get("/docs/reference.css").headers["content-type"].startswith("text/css")


def test_openapi_tells_the_forms(home):
    document = home.get("/openapi.json").json()
    form = document["paths"]["/v1/repair"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["image"]
    assert form["properties"]["quality"]["enum"] == ["fast", "balanced", "best"]
    assert form["properties"]["seed"]["default"] == 0
    for path in ("/v1/repair", "/v1/detect", "/v1/jobs"):
        body = document["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert body["properties"]["find"]["default"] == "damage"
        assert "watermark" in body["properties"]["find"]["description"]
        assert {"skip", "force"} <= set(body["properties"])
    assert "mask" not in json.dumps(document["paths"]["/v1/detect"]["post"]["requestBody"])
    assert {"/v1/jobs/{job_id}/events", "/v1/methods", "/health", "/ready", "/metrics"} <= set(
        document["paths"]
    )


def test_methods_tell_what_may_be_asked_for(home):
    said = home.get("/v1/methods").json()
    assert [method["name"] for method in said["methods"]] == ["auto", *ENTRIES]
    assert [quality["name"] for quality in said["qualities"]] == ["fast", "balanced", "best"]
    assert said["limits"]["max_pixels"] == 2_000_000
    missing = [method["name"] for method in said["methods"] if not method["available"]]
    assert set(missing) <= {"neural"}


def test_metrics_count_by_route_never_by_path(home):
    for k in range(5):
        home.get(f"/v1/jobs/made-up-{k}")
        home.get(f"/nowhere-{k}")
    text = home.get("/metrics").text
    assert "made-up" not in text
    assert "nowhere" not in text
    assert 'remend_requests_total{method="GET",route="/v1/jobs/{job_id}",status="404"}' in text
    # The spare is counted once it has loaded.
    until(lambda: bool(re.search(r"^remend_workers 2\.0$", home.get("/metrics").text, re.M)))


def test_unknown_addresses_and_methods_are_problems(home):
    nowhere, wrong = home.get("/v2/repair"), home.get("/v1/repair")
    assert (nowhere.status_code, nowhere.json()["kind"]) == (404, "not-found")
    assert (wrong.status_code, wrong.json()["kind"], wrong.headers["allow"]) == (
        405,
        "method-not-allowed",
        "POST",
    )
    odd = home.get("/v1/jobs/x/events?cancel_on_leave=perhaps")
    assert odd.status_code in (404, 422)
    assert odd.headers["content-type"] == "application/problem+json"


def test_openapi_tells_every_status_that_a_route_can_answer(home):
    routes = home.get("/openapi.json").json()["paths"]
    everywhere = {"403", "421", "500"}
    behind_token = {"401", "429"}
    work = {str(kind.status) for kind in KINDS.values()} - {"404", "405", "409", "410"}
    for path, methods in routes.items():
        for method, route in methods.items():
            told = set(route["responses"])
            wanted = set(everywhere)
            if path.startswith("/v1/") or path == "/metrics":
                wanted |= behind_token
            if method == "post" and path != "/v1/session":
                wanted |= work
            assert wanted <= told, f"{method} {path} leaves out {sorted(wanted - told)}"
            problem = route["responses"]["403"]["content"]
            assert set(problem) == {"application/problem+json"}
