"""The verb `evaluate`: methods and other tools' outputs over a set of pairs, picture by picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from remend.damage.given import Polarity
from remend.errors import EvaluationError, RemendError
from remend.evaluation.metrics import METRICS, compose, measure
from remend.evaluation.pairs import Pair, PairSet, find_outputs, find_pairs, read_pair, read_rgb
from remend.evaluation.protocol import Fingerprint, Protocol, fingerprint
from remend.picture import Bool

__all__ = ["Evaluation", "Restore", "Score", "Seen", "Summary", "evaluate"]

Image = NDArray[np.uint8]
Restore = Callable[[Image, Bool, str], Image]
"""``restore(image, hole, method) -> image``: uint8 RGB, the hole erased."""

ERASED = 128


@dataclass(frozen=True, slots=True)
class Score:
    """One method on one pair.

    Attributes:
        pair: its name.
        method: its label.
        hole_ratio: share of the picture that is hole.
        seconds: of the call; None for another tool's output.
        metrics: by name; empty when the method failed. NaN where a metric does not apply.
        outside_levels: largest difference that the method made outside the hole, in levels of 255,
            before composing; None when it failed.
        error: why it failed, one line.
    """

    pair: str
    method: str
    hole_ratio: float
    seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    outside_levels: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """One method over all pairs.

    Attributes:
        method: its label.
        pictures: how many pairs the means are over: those that every method answered.
        failed: how many it failed on.
        seconds: median of a call; None for another tool's outputs.
        means: metrics by name, over pictures where the metric applies; NaN where there is none.
        outside_levels: the largest of all pairs; None when it answered none.
    """

    method: str
    pictures: int
    failed: int
    seconds: float | None
    means: Mapping[str, float]
    outside_levels: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """The pictures of one pair, handed to an observer and not kept.

    Attributes:
        pair: the pair.
        truth: (H, W, 3) uint8.
        hole: (H, W) bool.
        outputs: composed pictures by method; those that failed are missing.
        scores: of this pair.
    """

    pair: Pair
    truth: Image
    hole: Bool
    outputs: Mapping[str, Image]
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Attributes:
        protocol: what it was measured on.
        methods: labels, in the order asked for.
        scores: by pair, then by method.
        skipped: pairs that could not be read, name to reason; they are not in the protocol.
        unpaired: files of the folder that belong to no pair, a line each.
        quality, seed: what the methods were called with.
    """

    protocol: Protocol
    methods: tuple[str, ...]
    scores: tuple[Score, ...]
    skipped: Mapping[str, str]
    unpaired: tuple[str, ...]
    quality: str
    seed: int

    @property
    def failures(self) -> tuple[Score, ...]:
        """Scores that are errors."""
        return tuple(score for score in self.scores if score.error is not None)

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """A line a method, over the pairs that every method answered, so that none gains by failing.

        A method that answered no pair at all does not count among "every".
        """
        alive = {score.method for score in self.scores if score.error is None}
        failed = {score.pair for score in self.failures if score.method in alive}
        return tuple(_summary(method, self.scores, failed) for method in self.methods)


def evaluate(
    pairs: str | Path | PairSet | Iterable[Pair],
    methods: Sequence[str] = (),
    *,
    outputs: Sequence[Path] = (),
    polarity: Polarity = "white",
    quality: str = "balanced",
    seed: int = 0,
    restore: Restore | None = None,
    observer: Callable[[Seen], None] | None = None,
) -> Evaluation:
    """Measure methods, and what other tools made, on pairs.

    Each method gets the picture with its hole erased to mid grey, so that none can peek. What it
    returns is composed into the truth outside the hole, then measured.

    Args:
        pairs: a folder, laid out as ``find_pairs`` says, or what that found.
        methods: names, or paths of ONNX models, as ``remend.repair`` takes them.
        outputs: folders of pictures that other tools made of the same pairs; labelled by folder name.
        polarity: what marks the hole in mask files.
        quality, seed: handed to the methods.
        restore: what repairs; None = ``remend.repair``.
        observer: gets the pictures of each pair once it is done.

    Raises:
        EvaluationError: no pair, no method, two methods of one label, or no pair that can be read.
        UsageError, ModelError: no such method, or a model that cannot be loaded.

    Cost: the methods' own time, and about 0.5 s a megapixel and method for the metrics. One pair is
    in memory at a time.
    """
    found = find_pairs(Path(pairs)) if isinstance(pairs, (str, Path)) else pairs
    unpaired = found.unpaired if isinstance(found, PairSet) else ()
    pairs = tuple(sorted(found.pairs if isinstance(found, PairSet) else found))
    if not pairs:
        raise EvaluationError("no pairs to measure on: give a folder with pictures and masks")
    labels, folders = _labels(methods, outputs)
    made = {label: find_outputs(folder, pairs) for label, folder in folders.items()}
    call = restore if restore is not None else _library(labels.values(), quality, seed)
    scores: list[Score] = []
    prints: list[Fingerprint] = []
    skipped: dict[str, str] = {}
    for pair in pairs:
        try:
            truth, hole = read_pair(pair, polarity=polarity)
        except RemendError as error:
            skipped[pair.name] = str(error)
            continue
        prints.append(fingerprint(pair.name, truth, hole))
        composed: dict[str, Image] = {}
        own: list[Score] = []
        for label, answer in _answers(pair, truth, hole, labels, made, call):
            score, picture = _measure(pair, label, truth, hole, answer)
            own.append(score)
            if picture is not None:
                composed[label] = picture
        scores += own
        if observer is not None:
            observer(Seen(pair, truth, hole, composed, tuple(own)))
    if not prints:
        first = next(iter(skipped.items()))
        raise EvaluationError(f"none of {len(pairs)} pairs can be measured; {first[0]}: {first[1]}")
    return Evaluation(
        Protocol(tuple(prints)), (*labels, *made), tuple(scores), skipped, unpaired, quality, seed
    )


def _library(methods: Iterable[str], quality: str, seed: int) -> Restore:
    """The library call, once every method is known to exist: a typing error should not cost hours."""
    from remend.api import repair
    from remend.fill.catalogue import filler_named

    for method in methods:
        if method != "auto":
            filler_named(method)
    return lambda image, hole, method: repair(image, hole, method=method, quality=quality, seed=seed)


def _labels(methods: Sequence[str], outputs: Sequence[Path]) -> tuple[dict[str, str], dict[str, Path]]:
    """Label to method, where a model file is called by its stem, and label to folder."""
    if not methods and not outputs:
        raise EvaluationError("nothing to measure: give --method names or --outputs folders")
    labels = {Path(method).stem if method.lower().endswith(".onnx") else method: method for method in methods}
    folders = {folder.resolve().name: folder for folder in outputs}
    if len({*labels, *folders}) < len(methods) + len(outputs):
        raise EvaluationError("two methods or output folders have the same name: rename one of them")
    return labels, folders


_Answer = tuple[Callable[[], Image], bool]


def _answers(
    pair: Pair,
    truth: Image,
    hole: Bool,
    labels: Mapping[str, str],
    made: Mapping[str, Mapping[str, Path]],
    call: Restore,
) -> Iterator[tuple[str, _Answer]]:
    """For each label: how to get its picture, and whether its time counts."""
    erased = np.where(hole[:, :, None], np.uint8(ERASED), truth)
    erased.flags.writeable = False  # a method that writes into its input would spoil it for the next
    for label, method in labels.items():
        yield label, (partial(call, erased, hole, method), True)
    for label, files in made.items():
        yield label, (partial(_read_output, files, pair), False)


def _read_output(files: Mapping[str, Path], pair: Pair) -> Image:
    if pair.name not in files:
        raise EvaluationError(f"no output for {pair.name}")
    return read_rgb(files[pair.name])


def _measure(pair: Pair, label: str, truth: Image, hole: Bool, answer: _Answer) -> tuple[Score, Image | None]:
    ratio = float(np.count_nonzero(hole)) / hole.size
    get, timed = answer
    started = time.perf_counter()
    try:
        output = get()
        seconds = time.perf_counter() - started if timed else None
        picture = compose(output, truth, hole)
    except RemendError as error:
        return Score(pair.name, label, ratio, error=str(error)), None
    except Exception as error:  # whatever a method raises is told in the report, and the rest goes on
        return Score(pair.name, label, ratio, error=f"{type(error).__name__}: {error}"), None
    outside = _outside(output, truth, ~hole)
    metrics = measure(picture, truth, hole)
    return Score(pair.name, label, ratio, seconds, metrics, outside), picture


def _outside(output: Image, truth: Image, known: Bool) -> int:
    """Largest difference outside the hole, in levels."""
    if not known.any():
        return 0
    return int(np.abs(output[known].astype(np.int16) - truth[known]).max())


def _summary(method: str, scores: Sequence[Score], failed: set[str]) -> Summary:
    own = [score for score in scores if score.method == method]
    common = [score for score in own if score.pair not in failed and score.error is None]
    seconds = [score.seconds for score in common if score.seconds is not None]
    means = {}
    for name in METRICS:
        values = [score.metrics[name] for score in common if not np.isnan(score.metrics[name])]
        means[name] = fmean(values) if values else float("nan")
    outside = [score.outside_levels for score in own if score.outside_levels is not None]
    return Summary(
        method,
        len(common),
        sum(score.error is not None for score in own),
        median(seconds) if seconds else None,
        means,
        max(outside) if outside else None,
    )
