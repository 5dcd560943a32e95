"""Protocols in files: freeze what an evaluation is made on, and hold later ones to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from remend.errors import EvaluationError, RemendError
from remend.evaluation.pairs import Pair, read_pair
from remend.evaluation.protocol import RULES, Fingerprint, Protocol, fingerprint
from remend.io.atomic import write_whole
from remend.options import Polarity

__all__ = ["Frozen", "freeze", "read_frozen", "verify", "write_frozen"]

_KIND = "remend evaluation protocol"


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a protocol file says.

    Attributes:
        protocol: pairs, learned rules, seed.
        files: picture and mask by pair, names without folders.
        polarity: of the masks.
    """

    protocol: Protocol
    files: dict[str, tuple[str, str]]
    polarity: Polarity = "white"


def freeze(
    pairs: Sequence[Pair],
    *,
    polarity: Polarity = "white",
    learned: dict[str, str] | None = None,
    seed: int = 0,
) -> Frozen:
    """Read every pair and take its fingerprints.

    Raises:
        RemendError: a pair cannot be read: a protocol has no holes.

    Cost: reading every file once.
    """
    prints = []
    for pair in pairs:
        truth, hole = read_pair(pair, polarity=polarity)
        prints.append(fingerprint(pair.name, truth, hole))
    files = {pair.name: (pair.image.name, pair.mask.name) for pair in pairs}
    return Frozen(Protocol(tuple(prints), learned or {}, seed), files, polarity)


def write_frozen(path: Path, frozen: Frozen) -> None:
    """Write the file; one that exists is never replaced, since numbers may hang on it.

    Raises:
        WriteError: it exists, or cannot be written.
    """
    pairs = []
    for pair in sorted(frozen.protocol.pairs, key=lambda p: p.name):
        image, mask = frozen.files[pair.name]
        pairs.append({**asdict(pair), "picture_file": image, "mask_file": mask})
    content = {
        "kind": _KIND,
        "sha256": frozen.protocol.sha256,
        "polarity": frozen.polarity,
        "seed": frozen.protocol.seed,
        "rules": frozen.protocol.rules,
        "pairs": pairs,
    }
    write_whole(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode(), overwrite=False)


def read_frozen(path: Path) -> Frozen:
    """Read a file, and hold it to its own hash.

    Raises:
        EvaluationError: no such file, no protocol, changed since it was written, or of other rules than
            this version measures by.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        assert content["kind"] == _KIND
        rules = dict(content["rules"])
        pairs = tuple(Fingerprint(p["name"], p["picture"], p["mask"]) for p in content["pairs"])
        files = {p["name"]: (str(p["picture_file"]), str(p["mask_file"])) for p in content["pairs"]}
        stated, polarity, seed = content["sha256"], content["polarity"], int(content["seed"])
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}): give a protocol file") from error
    except (ValueError, KeyError, TypeError, AssertionError, AttributeError) as error:
        raise EvaluationError(f"{path} is no protocol file: make one with --freeze FILE") from error
    changed = [name for name, rule in RULES.items() if rules.pop(name, None) != rule]
    if changed:
        raise EvaluationError(
            f"{path} was frozen under other rules of {', '.join(changed)} than this version's: "
            "measure with the version that froze it, or freeze anew"
        )
    protocol = Protocol(pairs, {name: str(rule) for name, rule in rules.items()}, seed)
    if protocol.sha256 != stated:
        raise EvaluationError(f"{path} was changed after it was frozen: its content no longer fits its hash")
    return Frozen(protocol, files, polarity)


def verify(
    frozen: Frozen,
    pairs: Sequence[Pair],
    *,
    polarity: Polarity = "white",
    learned: dict[str, str] | None = None,
    seed: int = 0,
) -> tuple[Pair, ...]:
    """The pairs of the protocol, once each is known to be what it was.

    Pairs that the protocol does not list are left out; files are compared by pixels, so that a lossless
    copy in another format passes.

    Raises:
        EvaluationError: a pair is missing or differs, or the settings do.

    Cost: reading every file once.
    """
    for name, now, then in (
        ("--mask-polarity", polarity, frozen.polarity),
        ("--seed", seed, frozen.protocol.seed),
    ):
        if now != then:
            raise EvaluationError(f"the protocol is frozen with {name} {then}, not {now}")
    _same_rules(dict(frozen.protocol.learned), learned or {})
    by_name = {pair.name: pair for pair in pairs}
    for wanted in frozen.protocol.pairs:
        pair = by_name.get(wanted.name)
        if pair is None:
            raise EvaluationError(f"the protocol lists {wanted.name}, which is not among the pairs")
        try:
            truth, hole = read_pair(pair, polarity=polarity)
        except RemendError as error:
            raise EvaluationError(
                f"the protocol lists {wanted.name}, which cannot be read: {error}"
            ) from error
        found = fingerprint(pair.name, truth, hole)
        for kind, file, same in (
            ("picture", pair.image, found.picture == wanted.picture),
            ("mask", pair.mask, found.mask == wanted.mask),
        ):
            if not same:
                raise EvaluationError(f"{file.name} is not the {kind} that the protocol was frozen with")
    return tuple(by_name[wanted.name] for wanted in frozen.protocol.pairs)


def _same_rules(then: dict[str, str], now: dict[str, str]) -> None:
    if missing := sorted(set(then) - set(now)):
        raise EvaluationError(
            f"the protocol measures {', '.join(missing)} too: give the files it was frozen with"
        )
    if extra := sorted(set(now) - set(then)):
        raise EvaluationError(
            f"the protocol does not measure {', '.join(extra)}: leave it out, or freeze anew"
        )
    for name, rule in then.items():
        if now[name] != rule:
            raise EvaluationError(
                f"{name} is not as frozen: the protocol says {rule!r}, this is {now[name]!r}"
            )
