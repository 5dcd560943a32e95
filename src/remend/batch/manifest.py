"""The manifest of a batch: what became of every file, in SQLite, so that any crash can be taken up again.

A picture's row is committed as ``running`` before its result may appear under its name, and as done after:
what is ``running`` when a batch begins was in hand when the last one died, and is done again. Only the
process that leads the batch writes here.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from remend.album import OURS, Job, LeftOut
from remend.errors import UsageError, WriteError
from remend.places import is_remote, located

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["DONE", "Known", "Manifest", "State", "manifest_in"]

VERSION = 1
DONE = ("repaired", "clean")
State = str
"""``running``, ``repaired``, ``clean`` (no damage: the file as it was), ``skipped`` or ``failed``."""

TABLES = """
CREATE TABLE IF NOT EXISTS pictures (
  target TEXT PRIMARY KEY,  -- below the manifest's folder where it lies there, else absolute
  source TEXT NOT NULL,
  mask TEXT,
  state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  input TEXT,               -- SHA-256 of the source file
  options TEXT,             -- SHA-256 of everything else that the result depends on
  output TEXT,              -- SHA-256 of the result
  seconds REAL,
  certainty REAL,           -- 0 to 1: which ones to look at first
  tries INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS left_out (path TEXT PRIMARY KEY, reason TEXT NOT NULL);
CREATE VIEW IF NOT EXISTS files AS
  SELECT source AS file, state, reason FROM pictures
  UNION ALL SELECT path, 'skipped', reason FROM left_out;
"""
PRAGMAS = ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL")


@dataclass(frozen=True, slots=True)
class Known:
    """What the manifest knows of one picture.

    Attributes:
        state: see ``State``.
        input, options, output: SHA-256 in hexadecimal; None = not known.
        source, target: as it writes them.
        reason: why it was skipped or failed.
        seconds: that it took.
        certainty: see `remend.report.RepairReport`.
    """

    state: State
    input: str | None = None
    options: str | None = None
    output: str | None = None
    source: str = ""
    target: str = ""
    reason: str = ""
    seconds: float | None = None
    certainty: float | None = None


class Manifest:
    """A batch's book. Use as a context; one process at a time.

    Args:
        path: of the SQLite file, whose folder is made; None = in memory, for a single run.

    Raises:
        WriteError: it cannot be opened or written.
        UsageError: another batch has it, or it is of a later Remend.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.root = None if path is None else path.parent.absolute()
        if self.root is not None and self.root.name == OURS:
            self.root = self.root.parent
        self._lock: int | None = None
        with self._told():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._take_lock(path.with_suffix(".lock"))
            try:
                self._base = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
                self._open()
            except BaseException:
                self.close()
                raise

    def _open(self) -> None:
        for pragma in PRAGMAS:
            # Folders on a network have no WAL: SQLite stays with its journal then, slower and as safe.
            with suppress(sqlite3.OperationalError):
                self._base.execute(f"PRAGMA {pragma}")
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise UsageError(
                f"{self.path}: the manifest of a later Remend: use that one, or another --manifest"
            )
        self._base.executescript(TABLES)
        self._base.execute(f"PRAGMA user_version={VERSION}")

    def _take_lock(self, path: Path) -> None:
        """Hold a lock that ends with the process; SQLite's own would not last from picture to picture."""
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if fcntl is None:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            raise UsageError(
                f"another batch is writing there ({path.parent}): wait for it, or give another -o"
            ) from None
        except OSError:
            pass  # a file system without locks

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let go of it."""
        if hasattr(self, "_base"):
            self._base.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def known(self, job: Job) -> Known | None:
        """What is known of a job's target; None = nothing."""
        with self._told():
            row = self._base.execute(
                f"SELECT {COLUMNS} FROM pictures WHERE target=?", (self._key(job.target),)
            )
            found = row.fetchone()
        return None if found is None else Known(*found)

    def begin(self, job: Job) -> None:
        """A picture is taken in hand: from now on its result may be there."""
        mask = None if job.mask is None else _text(job.mask)
        with self._told():
            self._base.execute(
                "INSERT INTO pictures (target, source, mask, state, tries) VALUES (?, ?, ?, 'running', 1) "
                "ON CONFLICT(target) DO UPDATE SET source=excluded.source, mask=excluded.mask, "
                "state='running', reason='', input=NULL, options=NULL, output=NULL, tries=tries+1",
                (self._key(job.target), _text(job.source), mask),
            )

    def end(self, job: Job, known: Known) -> None:
        """What came of it."""
        with self._told():
            self._base.execute(
                "INSERT INTO pictures (target, source, mask, state, reason, input, options, output, seconds, "
                "certainty) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(target) DO UPDATE SET "
                "state=excluded.state, reason=excluded.reason, input=excluded.input, "
                "options=excluded.options, output=excluded.output, seconds=excluded.seconds, "
                "certainty=excluded.certainty",
                (
                    self._key(job.target),
                    _text(job.source),
                    None if job.mask is None else _text(job.mask),
                    known.state,
                    known.reason,
                    known.input,
                    known.options,
                    known.output,
                    known.seconds,
                    known.certainty,
                ),
            )

    def leave_out(self, files: Iterable[LeftOut]) -> None:
        """Files that are no pictures to repair."""
        rows = [(_text(one.path), one.reason) for one in files]
        with self._told():
            self._base.execute("BEGIN")
            self._base.executemany("INSERT OR REPLACE INTO left_out VALUES (?, ?)", rows)
            self._base.execute("COMMIT")

    def counts(self) -> dict[State, int]:
        """How many files there are in each state, those left out among the skipped."""
        with self._told():
            return dict(self._base.execute("SELECT state, count(*) FROM files GROUP BY state"))

    def pictures(self, states: Iterable[State], *, order: str = "target", most: int = -1) -> Iterator[Known]:
        """Pictures in those states.

        Args:
            states: any of them.
            order: a column, least first.
            most: how many; -1 = all.
        """
        wanted = list(states)
        places = ", ".join("?" * len(wanted))
        with self._told():
            yield from (
                Known(*row)
                for row in self._base.execute(
                    f"SELECT {COLUMNS} FROM pictures WHERE state IN ({places}) "
                    f"ORDER BY {order}, target LIMIT ?",
                    (*wanted, most),
                )
            )

    def left_out(self) -> Iterator[tuple[str, str]]:
        """Each file that is no picture to repair, and why."""
        with self._told():
            yield from self._base.execute("SELECT path, reason FROM left_out ORDER BY path")

    def path_of(self, known: Known) -> Path:
        """Where a result lies."""
        if "://" in known.target or self.root is None:
            return located(known.target)
        return self.root / known.target

    def _key(self, target: Path) -> str:
        """A target as the manifest names it: a folder of results may be moved with its manifest."""
        if is_remote(target):
            return str(target)
        whole = Path(os.path.abspath(target))  # noqa: PTH100 - links are not followed: names are meant
        if self.root is not None and whole.is_relative_to(self.root):
            return _text(whole.relative_to(self.root))
        return _text(whole)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite and the disk say, as one line."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            said = getattr(error, "strerror", None) or error
            raise WriteError(
                f"the manifest {self.path} cannot be read or written ({said}): make room, or give another "
                "--manifest FILE"
            ) from error


COLUMNS = "state, input, options, output, source, target, reason, seconds, certainty"


def manifest_in(folder: Path) -> Path:
    """Where the manifest of a folder of results lies."""
    return folder / OURS / "manifest.sqlite"


def _text(path: Path) -> str:
    """A path for SQLite, which takes no bytes that are no UTF-8: such show as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")
