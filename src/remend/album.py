"""Which file becomes which: the pictures of folders and lists, their masks, and where results go.

A mask is never taken for a picture, nor a picture for its own mask; what is left out is told.
"""

from __future__ import annotations

import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from unicodedata import normalize

from remend.errors import UsageError
from remend.infrared import BESIDE
from remend.io.atomic import DRAFT
from remend.io.registry import ending_of, readable_suffixes
from remend.places import is_remote, located
from remend.repairing import default_target

__all__ = ["Job", "LeftOut", "counted", "plan_jobs"]

MADE_BY_US = ".repaired"
OURS = ".remend"  # the folder of a batch's manifest, beside its results
LIST = ".flist"  # a text file of paths, one a line, as DeepFill and EdgeConnect read them
# What LaMa's and others' scripts call the masks of x.png: x_mask.png, x_mask001.png; our page: x.mask.png.
# `remend detect` calls those of x.jpg x.jpg.mask.png.
MASK = re.compile(r"(?P<stem>.+)[._-]mask\d*", re.DOTALL | re.IGNORECASE)
# Thumbnails and rubbish of network drives, photo managers and archives.
NO_ALBUM = frozenset({"@eadir", "@recycle", "#recycle", "#snapshot", "__macosx", "$recycle.bin"})
# Pictures that no codec here reads: somebody who finds fewer results than files wants to know.
RAWS = "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
OTHERS = "jxl jp2 j2k jpx jxr psd psb xcf exr hdr tga pcx ppm pgm pbm pnm svg svgz ico dcm pdf heic heif avif"
PICTURES_TOO = frozenset(f".{ending}" for ending in f"{RAWS} {OTHERS}".split())


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to repair.

    Attributes:
        source: the picture.
        target: where the result goes.
        mask: the mask's path; None = find the damage.
        place: the picture's path below the folder that was named; its file name if it was named itself.
        refused: why it cannot be done, though the others can; None = it can.
    """

    source: Path
    target: Path
    mask: Path | None = None
    place: Path = Path()
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file, or a folder that was not entered, that lies where the pictures lie and is none of them.

    Attributes:
        path: of it.
        reason: why, in a word or a few.
        told: whether somebody who counts results would miss it.
    """

    path: Path
    reason: str
    told: bool = True


def plan_jobs(
    inputs: Sequence[Path],
    *,
    output: str | Path | None,
    mask: Path | None,
    recursive: bool,
    left_out: Callable[[LeftOut], None] = lambda one: None,
    may_be_empty: bool = False,
) -> list[Job]:
    """Which file becomes which.

    Folders give their pictures (by file name ending, sorted; hidden files, earlier results, thumbnails of
    network drives, and masks that lie beside their pictures left out); with ``recursive`` also those of the
    folders inside, whose tree is mirrored. An ``.flist`` gives the pictures that it lists.

    Args:
        inputs: files, folders and lists.
        output: a file for one input file; a folder for everything else; None = beside each input,
            as ``photo.repaired.jpg``.
        mask: one mask for all; COCO's JSON; a folder of masks matched by relative path or by stem
            (``a.png``, ``a_mask.png``, ``a_mask001.png`` or ``a.mask.png`` for ``a.jpg``), which may be the
            pictures' own; or an ``.flist`` in the order of the pictures.
        recursive: go into folders inside folders.
        left_out: hears of each file that is no picture to repair.
        may_be_empty: a folder without a picture is no error: it is watched.

    Raises:
        UsageError: nothing to do, two inputs that would write the same file, a missing mask.
    """
    folder_meant = str(output).endswith(("/", os.sep))  # Path would drop the slash
    output = None if output is None else located(output)
    left: list[LeftOut] = []

    def leave(one: LeftOut) -> None:
        left.append(one)
        left_out(one)

    apart = [one for one in (mask, output) if one is not None]
    found: list[tuple[Path, Path]] = []  # the file, and its place below the folder that was named
    for path in inputs:
        if path.is_dir():
            inside = [
                (file, Path(str(file.relative_to(path))))
                for file in _pictures(path, mask, recursive, leave, apart)
            ]
            if not inside and not may_be_empty:
                hint = "" if recursive else " (its folders are only searched with --recursive)"
                told = counted(left)
                raise UsageError(f"the folder {path} holds no picture{hint}{': ' if told else ''}{told}")
            found += inside
        elif path.suffix.lower() == LIST:
            found += [(file, Path(file.name)) for file in _listed(path)]
        else:
            found.append((path, Path(path.name)))
    many = len(found) > 1 or inputs[0].is_dir()
    into_folder = output is not None and (
        len(inputs) > 1 or many or inputs[0].suffix.lower() == LIST or output.is_dir() or folder_meant
    )
    if output is not None and into_folder and output.is_file():
        raise UsageError(f"{output} is a file, and several pictures go there: give a folder")
    jobs: list[Job] = []
    for file, place, own in _with_masks(found, mask):
        target = default_target(file)
        if output is not None:
            target = output / place if into_folder else output
        if isinstance(own, str):
            jobs.append(Job(file, target, None, place, own))
            continue
        for one in own:
            # Of several masks each gets a result, named after it.
            named = target if len(own) == 1 or one is None else target.with_stem(one.stem)
            jobs.append(Job(file, named, one, place))
    return _without_collisions(jobs)


def counted(left: Iterable[LeftOut]) -> str:
    """What was left out and would be missed, in one line; empty where there is none."""
    counts = Counter(one.reason for one in left if one.told)
    return f"left out {', '.join(f'{count} {what}' for what, count in counts.items())}" if counts else ""


def _pictures(
    folder: Path,
    mask: Path | None,
    recursive: bool,
    leave: Callable[[LeftOut], None],
    apart: Sequence[Path],
) -> Iterator[Path]:
    """The pictures of a folder, sorted, but for folders ``apart``: of masks, of results.

    Links to folders are not followed: they may lead round.
    """
    suffixes = readable_suffixes()
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be read ({error.strerror})") from error
    stems = {called for entry in entries if ending_of(entry).lower() in suffixes for called in _calls(entry)}
    for entry in entries:
        ending = ending_of(entry).lower()
        if entry.name.startswith("."):
            if entry.name.startswith("._") and ending in suffixes | PICTURES_TOO:
                leave(LeftOut(entry, "companions of macOS (._)"))
            elif not DRAFT.fullmatch(entry.name) and entry.name != OURS:
                leave(LeftOut(entry, "hidden", told=False))
        elif entry.is_dir():
            if entry.name.lower() in NO_ALBUM:
                leave(LeftOut(entry, f"folders {entry.name}"))
            elif any(_same(entry, one) for one in apart):
                pass  # the user has named it
            elif entry.is_symlink():
                leave(LeftOut(entry, "links to folders", told=False))
            elif recursive:
                yield from _pictures(entry, mask, True, leave, apart)
            else:
                leave(LeftOut(entry, "folders (--recursive goes into them)", told=False))
        elif ending not in suffixes:
            known = ending in PICTURES_TOO
            leave(LeftOut(entry, f"{ending} files" if known else "no picture", told=known))
        elif entry.name.removesuffix(ending_of(entry)).endswith(MADE_BY_US):
            leave(LeftOut(entry, "earlier results"))
        elif mask is not None and _same(entry, mask):
            pass  # somebody keeps the one mask beside the pictures, and has named it
        elif _is_infrared(entry, stems):
            leave(LeftOut(entry, "infrared beside their pictures"))
        elif (matched := MASK.fullmatch(entry.stem)) and matched["stem"] in stems:
            if mask is None or not _same(folder, mask if mask.is_dir() else mask.parent):
                leave(LeftOut(entry, "masks beside their pictures (-m FOLDER takes them)"))
        else:
            yield entry


def _is_infrared(entry: Path, stems: set[str]) -> bool:
    """Whether it is the infrared of a picture beside it."""
    return any(entry.stem.endswith(word) and entry.stem.removesuffix(word) in stems for word in BESIDE)


def _listed(path: Path) -> list[Path]:
    """The files that a list names: absolute, below the list's folder, or below the current one."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the list {path} cannot be read ({error}): give a text file of paths") from error
    named = [Path(line.strip()) for line in lines if line.strip()]
    if not named:
        raise UsageError(f"the list {path} is empty: give a path a line")
    beside = [path.parent / file for file in named]
    return [below if below.exists() else file for below, file in zip(beside, named, strict=True)]


def _with_masks(
    found: Sequence[tuple[Path, Path]], mask: Path | None
) -> Iterator[tuple[Path, Path, Sequence[Path | None] | str]]:
    """Every picture with its masks, or with why it has none."""
    if mask is not None and mask.suffix.lower() == LIST:
        masks = _listed(mask)
        if len(masks) != len(found):
            raise UsageError(
                f"the list {mask} names {len(masks)} masks for {len(found)} pictures: "
                "give one a picture, in their order"
            )
        yield from ((file, place, [one]) for (file, place), one in zip(found, masks, strict=True))
        return
    if mask is None or not mask.is_dir():
        yield from ((file, place, [mask]) for file, place in found)
        return
    folders: dict[Path, list[Path]] = {}
    for file, place in found:
        below = mask / place.parent
        if below not in folders:
            folders[below] = _files(below)
        yield file, place, _masks_of(file, place, below, folders[below])


def _calls(picture: Path) -> tuple[str, str]:
    """What a picture is called in the names of its masks."""
    return picture.stem, picture.name


def _files(folder: Path) -> list[Path]:
    suffixes = readable_suffixes()
    with suppress(OSError):
        return [
            entry
            for entry in sorted(folder.iterdir())
            if ending_of(entry).lower() in suffixes and not entry.name.startswith(".") and entry.is_file()
        ]
    return []


def _masks_of(file: Path, place: Path, below: Path, files: Iterable[Path]) -> Sequence[Path | None] | str:
    """The masks of one picture; where none is found, the path where one was expected."""
    beside = _same(file.parent, below)
    plain, marked = [], []
    for path in files:
        matched = MASK.fullmatch(path.stem)
        if path.stem in _calls(place) and not beside:
            plain.append(path)
        elif matched and matched["stem"] in _calls(place):
            marked.append(path)
    exact = [path for path in plain if path.name == place.name]
    plain = exact or plain
    if (plain and marked) or len(plain) > 1:
        names = ", ".join(path.name for path in (*plain, *marked)[:4])
        return f"{below} holds several masks for {place.name} ({names}): keep one"
    if len({path.stem for path in marked}) < len(marked):
        return f"{below} holds masks for {place.name} that differ only in format: keep one"
    # A picture whose mask is missing fails by itself, with that path in the message.
    return plain or marked or [below / f"{place.stem}{'_mask' if beside else ''}.png"]


def _without_collisions(jobs: list[Job]) -> list[Job]:
    """Two inputs must not write one file, and no output may be another job's input.

    Names that only some file systems take for one (``A.jpg`` and ``a.jpg``) are refused by themselves, and
    only where the target's does.
    """
    taken: dict[str, Job] = {}
    folded: dict[str, Job] = {}
    folds: dict[Path, bool] = {}
    kept = []
    for job in jobs:
        key = str(job.target.absolute())
        if key in taken:
            raise UsageError(
                f"{taken[key].source} and {job.source} would both be written to {job.target}: "
                "repair them one by one, or into different folders"
            )
        taken[key] = job
        alike = folded.setdefault(normalize("NFC", key).lower(), job)
        if alike is not job:
            folder = job.target.parent
            if folder not in folds:
                folds[folder] = _folds_case(folder)
            if folds[folder]:
                why = f"{alike.target.name} and {job.target.name} are one file to the disk of {folder}"
                job = replace(job, refused=job.refused or f"{why}: rename one, or give another -o")
        kept.append(job)
    for job in jobs:
        other = folded.get(normalize("NFC", str(job.source.absolute())).lower())
        if other is not None and other.source != job.source and _same(other.target, job.source):
            raise UsageError(
                f"the result of {other.source} would replace the input {job.source}: give another -o"
            )
    return kept


def _folds_case(folder: Path) -> bool:
    """Whether two names that differ in case are one file there, as on macOS and Windows; tried out."""
    if is_remote(folder):
        return False
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    probe = folder / f".remend-{secrets.token_hex(8)}.tmp"
    try:
        probe.touch(exist_ok=False)
    except OSError:  # nothing can be written there, which is told in a moment
        return False
    try:
        return probe.with_name(probe.name.upper()).exists()
    finally:
        probe.unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    if one == other or is_remote(one) or is_remote(other):
        return one == other
    try:
        return one.samefile(other)
    except OSError:
        return False
