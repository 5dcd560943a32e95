"""Pictures that lie elsewhere: in memory, under file://, in a store that speaks S3."""

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from made_albums import hashes, make_album, make_mask
from remend.cli.main import remend as command
from remend.errors import UsageError
from remend.places import is_remote, located


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Six pictures, one of them broken, a mask, and what comes of them here."""
    make_album(tmp_path / "album", 6, bad=1)
    (tmp_path / "album" / "notes.txt").write_text("no picture")
    make_mask(tmp_path / "m.png")
    result = run(tmp_path, str(tmp_path / "album"), str(tmp_path / "right"), code=1)
    assert "1 failed" in result.stderr
    return tmp_path


def run(folder: Path, album: str, out: str, *more: str, code: int = 0, mask: str | None = None):
    flags = ["-o", out, "-m", mask or str(folder / "m.png"), "--method", "telea", *more]
    result = CliRunner().invoke(command, ["repair", album, *flags])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def copied(folder: Path, url: str) -> None:
    """The album and the mask below a URL."""
    for path in [*(folder / "album").iterdir(), folder / "m.png"]:
        there = located(url) / str(path.relative_to(folder))
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(path.read_bytes())


def fetched(url: str, folder: Path) -> dict[str, str]:
    folder.mkdir()
    for path in located(url).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return hashes(folder)


def check(folder: Path, url: str) -> None:
    """There and back: the same bytes, the same manifest, taken up again by hashes."""
    copied(folder, url)
    book, report = folder / "book.sqlite", folder / "page.html"
    flags = ("--manifest", str(book), "--record", "--report", str(report))
    run(folder, f"{url}/album", f"{url}/plain", "--manifest", str(folder / "b"), code=1, mask=f"{url}/m.png")
    assert fetched(f"{url}/plain", folder / "plain") == hashes(folder / "right")
    result = run(folder, f"{url}/album", f"{url}/out", *flags, code=1)
    assert f"{url}/album/p0000.jpg" in result.stderr
    assert "remend-" not in result.stderr  # the folder that was used meanwhile
    before = fetched(f"{url}/out", folder / "out")
    assert len(before) == 2 * 5  # each with its record
    base = sqlite3.connect(book)
    states = dict(base.execute("SELECT state, count(*) FROM files GROUP BY state").fetchall())
    written = dict(base.execute("SELECT target, output FROM pictures WHERE output IS NOT NULL").fetchall())
    base.close()
    assert states == {"repaired": 5, "failed": 1, "skipped": 1}
    assert written == {f"{url}/out/{name}": before[name] for name in before if not name.endswith(".json")}
    assert report.read_text("utf-8").count("data:image/jpeg") == 2 * 5
    (located(url) / "out" / "p0001.png").write_bytes(b"cut short")
    (located(url) / "out" / "p0003.png").unlink()
    result = run(folder, f"{url}/album", f"{url}/out", *flags, "--resume", code=1)
    assert "3 done already" in result.stderr
    after = fetched(f"{url}/out", folder / "again")
    apart = [name for name in before if before[name] != after[name]]
    assert {name.removesuffix(".remend.json") for name in apart} <= {"p0001.png", "p0003.png"}  # their time
    (located(url) / "out" / "p0000.jpg").write_bytes(b"somebody's own")
    (folder / "album" / "p0000.jpg").write_bytes((folder / "album" / "p0002.jpg").read_bytes())
    copied(folder, url)
    result = run(folder, f"{url}/album", f"{url}/out", *flags, code=1)
    assert f"{url}/out/p0000.jpg exists" in result.stderr


def test_pictures_in_memory(made):
    pytest.importorskip("upath", reason="URLs need their extra: pip install '.[remote]'")
    check(made, f"memory://box{made.name}")


def test_pictures_of_this_machine_by_url(made):
    out = (made / "my out").as_uri()
    assert "%20" in out
    run(made, (made / "album").as_uri(), out, code=1)
    assert hashes(made / "my out") == hashes(made / "right")
    assert (made / "my out" / ".remend" / "manifest.sqlite").exists()
    assert not is_remote(located(out))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_pictures_in_a_store_that_speaks_s3(made, monkeypatch):
    pytest.importorskip("upath", reason="URLs need their extra: pip install '.[remote]'")
    s3fs = pytest.importorskip("s3fs", reason="s3:// needs s3fs")
    server = pytest.importorskip("moto.server", reason="needs a store: pip install 'moto[server]'")
    store = server.ThreadedMotoServer(port=0)
    store.start()
    host, port = store.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        s3fs.S3FileSystem().mkdir("box")
        check(made, "s3://box")
    finally:
        store.stop()
        s3fs.S3FileSystem.clear_instance_cache()


def test_urls_that_cannot_be_meant(tmp_path):
    pytest.importorskip("upath", reason="URLs need their extra: pip install '.[remote]'")
    with pytest.raises(UsageError, match="cannot be opened"):
        located("nowhere://box/album")
    make_album(tmp_path / "album", 1)
    result = CliRunner().invoke(command, ["repair", str(tmp_path / "album"), "-o", "memory://box/out"])
    assert isinstance(result.exception, UsageError) and "--manifest" in str(result.exception)


def test_paths_stay_paths():
    for text in ("album", "a:b", "/srv/album", "C:\\album", "http:/x"):
        assert located(text) == Path(text)
    assert located(Path("album")) == Path("album")
