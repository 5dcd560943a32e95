"""/v1/jobs: taken, watched, fetched, cancelled, repeated, and kept within bounds."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from .conftest import HOST, as_file, until

httpx = pytest.importorskip("httpx")


def state_of(home, job: dict) -> str:
    """How it stands."""
    return home.get(job["links"]["self"]).json()["state"]


def wait(home, job: dict) -> dict:
    """The job when it is over."""
    until(lambda: state_of(home, job) in ("done", "failed", "cancelled"))
    return home.get(job["links"]["self"]).json()


def endless() -> dict:
    """A job that takes many seconds in one step: nothing can interrupt it but the end of its process."""
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (700, 700, 3), np.uint8), (0, 0), 1.2)
    mask = np.zeros((700, 700), np.uint8)
    mask[150:550, 150:550] = 255
    return {"files": {"image": as_file(image), "mask": as_file(mask)}, "data": {"method": "criminisi"}}


def test_a_job_gives_what_the_waiting_call_gives(home, picture, mask):
    files = {"image": ("my photo.png", picture), "mask": mask}
    taken = home.post("/v1/jobs", files=files)
    assert taken.status_code == 202
    assert taken.headers["location"] == taken.json()["links"]["self"]
    job = wait(home, taken.json())
    assert (job["state"], job["kind"], job["progress"], job["problem"]) == ("done", "repair", 1.0, None)
    assert 0 < job["expires_in_s"] <= 600
    result, direct = home.get(job["links"]["result"]), home.post("/v1/repair", files=files)
    assert result.content == direct.content
    for name in ("content-type", "content-disposition", "remend-plan", "remend-size", "remend-found"):
        assert result.headers[name] == direct.headers[name]
    report = job["report"]
    assert (report["width"], report["height"], report["bytes"]) == (80, 60, len(result.content))
    assert report["filename"] == "my photo.repaired.png"
    assert report["steps"][0]["filler"] == "neural-thin"
    assert report["steps"][0]["reason"]
    assert home.get(job["links"]["result"]).content == result.content, "again"


def test_a_detection_as_a_job(home, worn):
    job = wait(home, home.post("/v1/jobs", files={"image": worn}, data={"kind": "detect"}).json())
    assert home.get(job["links"]["result"]).json()["regions"]
    mask = home.get(job["links"]["result"], headers={"Accept": "image/png"})
    assert mask.content.startswith(b"\x89PNG")


def test_a_job_that_fails_has_its_problem(home):
    job = wait(home, home.post("/v1/jobs", files={"image": b"dear diary"}).json())
    assert (job["state"], job["problem"]["kind"]) == ("failed", "not-a-picture")
    result = home.get(job["links"]["result"])
    assert (result.status_code, result.json()) == (415, job["problem"])


def test_the_same_key_is_the_same_job(home, picture, mask):
    files, key = {"image": ("a.png", picture), "mask": mask}, {"Idempotency-Key": "one"}
    first = home.post("/v1/jobs", files=files, headers=key)
    again = home.post("/v1/jobs", files=files, headers=key)
    assert first.json()["id"] == again.json()["id"]
    assert again.status_code == 202
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = home.post("/v1/jobs", files=files, data={"seed": "2"}, headers=key)
    assert (other.status_code, other.json()["kind"]) == (422, "key-reused")
    assert home.post("/v1/jobs", files=files, headers={"Idempotency-Key": "x" * 201}).status_code == 422
    wait(home, first.json())
    assert home.app.desk.ledger.held == 0


def test_unknown_jobs_are_not_found(home):
    for method, path in [("GET", ""), ("DELETE", ""), ("GET", "/result"), ("GET", "/events")]:
        answer = home.request(method, f"/v1/jobs/nobody{path}")
        assert (answer.status_code, answer.json()["kind"]) == (404, "not-found")


def test_a_running_job_is_cancelled_within_a_second_and_the_next_goes_on(home, picture, mask):
    running = home.post("/v1/jobs", **endless()).json()
    until(lambda: home.get(running["links"]["self"]).json()["stage"] == "fill")
    until(lambda: home.app.desk.crew.loaded == 2)
    early = home.get(running["links"]["result"])
    assert (early.status_code, early.json()["kind"], early.headers["retry-after"]) == (409, "not-ready", "1")
    waiting = home.post("/v1/jobs", files={"image": picture, "mask": mask}).json()
    assert home.get(waiting["links"]["self"]).json()["place"] == 1
    with ThreadPoolExecutor(1) as beside:
        going = beside.submit(home.request, "DELETE", running["links"]["self"])
        assert until(lambda: state_of(home, waiting) != "" and going.done()) < 1.0
    gone = going.result()
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    assert home.request("DELETE", running["links"]["self"]).status_code == 200, "again is fine"
    assert home.get(running["links"]["result"]).status_code == 410
    assert until(lambda: state_of(home, waiting) == "done") < 2.0, "a spare worker goes on at once"


def test_a_waiting_job_is_cancelled_and_a_done_one_emptied(home, picture, mask):
    running = home.post("/v1/jobs", **endless()).json()
    waiting = home.post("/v1/jobs", files={"image": picture}).json()
    assert home.request("DELETE", waiting["links"]["self"]).json()["state"] == "cancelled"
    home.request("DELETE", running["links"]["self"])
    done = wait(home, home.post("/v1/jobs", files={"image": picture, "mask": mask}).json())
    result = home.app.desk.records.jobs[done["id"]].result
    assert result.exists()
    assert home.request("DELETE", done["links"]["self"]).json()["state"] == "cancelled"
    assert not result.exists()
    assert home.get(done["links"]["result"]).status_code == 410


def test_a_full_queue_says_when_to_come_again(home, picture):
    running = home.post("/v1/jobs", **endless()).json()
    others = [home.post("/v1/jobs", files={"image": picture}) for _ in range(home.app.desk.limits.queue)]
    assert {answer.status_code for answer in others} == {202}
    places = [home.get(answer.json()["links"]["self"]).json()["place"] for answer in others]
    assert places == [1, 2, 3, 4]
    for path in ("/v1/jobs", "/v1/repair", "/v1/detect"):
        full = home.post(path, files={"image": picture})
        assert (full.status_code, full.json()["kind"]) == (503, "queue-full")
        assert 1 <= int(full.headers["retry-after"]) <= 60
    assert home.get("/health").status_code == 200
    for answer in [running, *[other.json() for other in others]]:
        home.request("DELETE", answer["links"]["self"])
    assert home.app.desk.depth == 0


def events_of(home, path: str, *, leave_after: int | None = None) -> list[tuple[str, dict]]:
    """What the stream says, until it ends or until so many events have come."""

    async def listen() -> list[tuple[str, dict]]:
        # ASGITransport waits for whole answers, so the application is called as a server would.
        found: list[tuple[str, dict]] = []
        gone = asyncio.Event()
        address, _, query = path.partition("?")

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            for block in message.get("body", b"").decode().split("\n\n"):
                lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
                if "event" in lines:
                    found.append((lines["event"], json.loads(lines["data"])))
                    if leave_after is not None and len(found) >= leave_after:
                        gone.set()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": address,
            "raw_path": address.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", HOST.removeprefix("http://").encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8321),
        }
        await home.app(scope, receive, send)
        return found

    return home.run(listen())


def test_events_tell_the_way_from_the_queue_to_the_end(home, worn):
    blocker = home.post("/v1/jobs", files={"image": worn}).json()
    job = home.post("/v1/jobs", files={"image": worn}, data={"quality": "best"}).json()
    found = events_of(home, job["links"]["events"])
    names, states = [name for name, _ in found], [data["state"] for _, data in found]
    assert names[-1] == "end"
    assert set(names[:-1]) == {"progress"}
    assert states[-1] == "done"
    assert found[-1][1]["report"]["plan"]
    shares = [data["progress"] for _, data in found]
    assert shares == sorted(shares)
    stages = [data["stage"] for _, data in found if data["stage"]]
    order = ["read", "find", "plan", "fill", "write"]
    assert [order.index(stage) for stage in stages] == sorted(order.index(stage) for stage in stages)
    wait(home, blocker)
    late = events_of(home, job["links"]["events"])
    assert [name for name, _ in late] == ["end"], "who comes late hears the end at once"


def test_steps_are_counted(home):
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (500, 700, 3), np.uint8), (0, 0), 1.2)
    mask = np.zeros((500, 700), np.uint8)
    for k in range(6):
        mask[60 + (k % 2) * 250 :, 60 + k * 100 :][:60, :40] = 255
    files = {"image": as_file(image), "mask": as_file(mask)}
    job = home.post("/v1/jobs", files=files, data={"method": "exemplar"}).json()
    heard = [
        (data["step"], data["steps"]) for _, data in events_of(home, job["links"]["events"]) if data["steps"]
    ]
    assert heard
    count = heard[0][1]
    assert count > 1
    assert all(0 <= step <= count == steps for step, steps in heard)
    assert len(home.get(job["links"]["self"]).json()["report"]["steps"]) == count


def test_a_job_may_end_with_its_listener(home):
    job = home.post("/v1/jobs", **endless()).json()
    events_of(home, job["links"]["events"], leave_after=1)
    assert home.get(job["links"]["self"]).json()["state"] in ("queued", "running"), "others only look"
    events_of(home, job["links"]["events"] + "?cancel_on_leave=true", leave_after=1)
    assert until(lambda: state_of(home, job) == "cancelled") < 1.0
    assert not home.app.state.streams


def test_results_are_bounded_in_number_bytes_and_time(make_home, picture, mask):
    files = {"image": picture, "mask": mask}
    with make_home(results=2, records=1, result_seconds=600.0) as home:
        jobs = [wait(home, home.post("/v1/jobs", files=files).json()) for _ in range(3)]
        assert home.get(jobs[0]["links"]["self"]).status_code == 404
        assert home.get(jobs[2]["links"]["result"]).status_code == 200
        bad = [wait(home, home.post("/v1/jobs", files={"image": b"text"}).json()) for _ in range(2)]
        assert home.get(bad[0]["links"]["self"]).status_code == 404
        assert home.get(jobs[2]["links"]["self"]).status_code == 200, "failures push no result out"
        shelf = home.app.desk.records.shelf
        assert shelf.held == sum(job["report"]["bytes"] for job in jobs[1:])
        assert len(list(home.app.desk.folder.iterdir())) == 2
        object.__setattr__(home.app.desk.limits, "result_bytes", shelf.held - 1)
        home.run(asyncio.sleep(0))
        shelf.sweep()
        assert home.get(jobs[1]["links"]["self"]).status_code == 404
        object.__setattr__(home.app.desk.limits, "result_seconds", 0.0)
        shelf.sweep()
        assert home.get(jobs[2]["links"]["self"]).status_code == 404
        assert shelf.held == 0
        assert not list(home.app.desk.folder.iterdir())


def test_a_job_that_takes_too_long_is_stopped(make_home, picture, mask):
    with make_home(job_seconds=2.0) as home:
        answer = home.post("/v1/repair", **endless())
        assert (answer.status_code, answer.json()["kind"]) == (504, "took-too-long")
        object.__setattr__(home.app.desk.limits, "job_seconds", 600.0)  # two are little on a busy machine
        assert home.post("/v1/repair", files={"image": picture, "mask": mask}).status_code == 200


def test_uploads_and_answers_together_are_bounded(make_home, picture, mask):
    with make_home(held_bytes=100) as home:
        answer = home.post("/v1/repair", files={"image": picture})
        assert (answer.status_code, answer.json()["kind"]) == (503, "queue-full")
        assert home.app.desk.ledger.held == 0
        home.app.desk.ledger.limit = 5000  # enough for this upload, not for so large an answer
        answer = home.post("/v1/repair", files={"image": picture, "mask": mask}, data={"format": "bmp"})
        assert (answer.status_code, answer.json()["kind"]) == (503, "queue-full")
        assert home.post("/v1/repair", files={"image": picture, "mask": mask}).status_code == 200
        assert home.app.desk.ledger.held == 0
        assert not list(home.app.desk.folder.iterdir())


def test_progress_does_not_fall_when_a_result_is_thrown_away(home, picture, mask):
    job = wait(home, home.post("/v1/jobs", files={"image": picture, "mask": mask}).json())
    gone = home.request("DELETE", job["links"]["self"]).json()
    assert (job["progress"], gone["state"], gone["progress"]) == (1.0, "cancelled", 1.0)


def test_one_long_step_moves_on_and_says_how_long_it_may_take(home):
    job = home.post("/v1/jobs", **endless()).json()
    until(lambda: home.get(job["links"]["self"]).json()["stage"] == "fill")
    heard = [data for _, data in events_of(home, job["links"]["events"], leave_after=4)]
    home.request("DELETE", job["links"]["self"])
    filling = [data for data in heard if data["stage"] == "fill"]
    assert len(filling) >= 3
    assert {(data["step"], data["steps"]) for data in filling} == {(0, 1)}
    shares = [data["progress"] for data in filling]
    assert sorted(set(shares)) == shares, "it moves, and never back"
    assert shares[-1] < 0.93
    assert all(data["left_s"] is None or data["left_s"] > 0 for data in filling)
    assert filling[0]["left_s"] is not None
