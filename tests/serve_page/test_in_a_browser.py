"""What a browser is told by the server itself: the API's own page, a job to its end, a missing extra."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from page_driver import file_of, scene

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

# From the first request to the last, as another page's script would.
DELETED = """async (bytes) => {
  const form = new FormData();
  form.append("image", new Blob([new Uint8Array(bytes)], {type: "image/png"}), "scene.png");
  const canvas = new OffscreenCanvas(320, 240), context = canvas.getContext("2d");
  context.fillRect(0, 0, 320, 240);
  context.fillStyle = "white";
  context.fillRect(60, 60, 30, 8);
  form.append("mask", await canvas.convertToBlob({type: "image/png"}), "mask.png");
  let job = await (await fetch("/v1/jobs", {method: "POST", body: form})).json();
  const told = [];
  while (!["done", "failed", "cancelled"].includes(job.state)) {
    await new Promise((go) => setTimeout(go, 100));
    job = await (await fetch(job.links.self)).json();
    told.push(job.progress);
  }
  const gone = await (await fetch(job.links.self, {method: "DELETE"})).json();
  return {state: job.state, told: [...told, gone.progress]};
}"""


def test_progress_stays_where_it_was_when_a_result_is_thrown_away(page):
    seen = page.evaluate(DELETED, list(file_of(scene(), "scene.png").data))
    assert seen["state"] == "done"
    assert seen["told"] == sorted(seen["told"])
    assert seen["told"][-2:] == [1, 1]


@pytest.mark.parametrize("path", ["/v1/repair", "/v1/jobs"])
def test_the_reference_lists_what_any_request_may_meet(open_page, address, path):
    page = open_page()
    page.goto(f"{address}/docs")
    route = page.locator("section", has=page.locator("h2", has_text=f"POST {path}")).first
    listed = route.locator("table").last.locator("td:first-child").all_inner_texts()
    assert {"401", "403", "421", "500", "504"} <= set(listed)


@pytest.mark.skipif(find_spec("pillow_heif") is not None, reason="HEIF can be read here")
def test_a_visitor_with_a_heic_is_told_what_a_visitor_can_do(page):
    """The extra is for who runs the server, who reads it in words and not as a command."""
    brand = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
    page.set_input_files("#files", [{"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": brand}])
    notice = page.locator(".notice.bad")
    expect(notice).to_contain_text("IMG_1.HEIC: HEIF needs an extra")
    expect(notice).to_contain_text("Save it as JPEG or PNG first")
    expect(notice).not_to_contain_text("pip install")
