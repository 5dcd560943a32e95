"""The verb `evaluate`: methods and other tools' outputs over a set of pairs, picture by picture."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.errors import EvaluationError, RemendError
from remend.evaluation.buckets import buckets_of
from remend.evaluation.candidates import Restore, as_methods, label_of, library
from remend.evaluation.features import FeatureArrays, FeatureNet, PictureMetric
from remend.evaluation.pairs import Pair, PairSet, find_outputs, find_pairs, read_pair, read_rgb
from remend.evaluation.protocol import Fingerprint, Protocol, fingerprint
from remend.evaluation.scores import Evaluation, Score, Seen, common_pairs
from remend.evaluation.sets import Collected
from remend.evaluation.sphere import SphereMetric
from remend.metrics import METRICS, compose, measure
from remend.options import Polarity
from remend.picture import Bool

__all__ = ["evaluate"]

Image = NDArray[np.uint8]
ERASED = 128


def evaluate(
    pairs: str | Path | PairSet | Iterable[Pair],
    methods: Sequence[str] = (),
    *,
    outputs: Sequence[Path] = (),
    polarity: Polarity = "white",
    quality: str = "balanced",
    seed: int = 0,
    projection: str = "flat",
    restore: Restore | None = None,
    observer: Callable[[Seen], None] | None = None,
    learned: Sequence[PictureMetric] = (),
    features: Sequence[FeatureNet | FeatureArrays] = (),
) -> Evaluation:
    """Measure methods, and what other tools made, on pairs.

    Each method gets the picture with its hole erased to mid grey, so that none can peek. What it
    returns is composed into the truth outside the hole, then measured.

    Args:
        pairs: a folder, laid out as ``find_pairs`` says, or what that found.
        methods: names, or paths of ONNX models, as ``remend.repair`` takes them; or runs and checkpoints
            of `remend train`, which are exported first.
        outputs: folders of pictures that other tools made of the same pairs; labelled by folder name.
        polarity: what marks the hole in mask files.
        quality, seed: handed to the methods.
        projection: ``equirect`` where the pictures are 360° panoramas: handed to the methods, too, and
            WS-PSNR is measured.
        restore: what repairs; None = ``remend.repair``.
        observer: gets the pictures of each pair once it is done.
        learned: metrics beyond the plain ones.
        features: what FID, KID, P-IDS and U-IDS are computed with.

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
    if projection == "equirect" and not any(isinstance(metric, SphereMetric) for metric in learned):
        learned = (SphereMetric(), *learned)
    labels, folders = _labels(methods, outputs)
    made = {label: find_outputs(folder, pairs) for label, folder in folders.items()}
    with ExitStack() as stack:
        if restore is None:
            labels = stack.enter_context(as_methods(labels))
            restore = library(labels.values(), quality, seed, projection)
        scores, prints, skipped, collected = _measured(
            pairs, polarity, labels, made, restore, observer, learned, features
        )
    names = (*METRICS, *(name for metric in learned for name in metric.names))
    rules = {name: rule for judge in (*learned, *features) for name, rule in judge.rules.items()}
    return Evaluation(
        Protocol(prints, rules, seed),
        (*labels, *made),
        scores,
        skipped,
        unpaired,
        quality,
        seed,
        names,
        collected.figures((*labels, *made), common_pairs(scores)),
    )


def _measured(
    pairs: Sequence[Pair],
    polarity: Polarity,
    labels: Mapping[str, str],
    made: Mapping[str, Mapping[str, Path]],
    restore: Restore,
    observer: Callable[[Seen], None] | None,
    learned: Sequence[PictureMetric],
    features: Sequence[FeatureNet | FeatureArrays],
) -> tuple[tuple[Score, ...], tuple[Fingerprint, ...], dict[str, str], Collected]:
    """Every pair in turn."""
    scores: list[Score] = []
    prints: list[Fingerprint] = []
    skipped: dict[str, str] = {}
    collected = Collected(features)
    for pair in pairs:
        try:
            truth, hole = read_pair(pair, polarity=polarity)
            collected.see_truth(pair.name, truth)
        except RemendError as error:
            skipped[pair.name] = str(error)
            continue
        prints.append(fingerprint(pair.name, truth, hole))
        composed: dict[str, Image] = {}
        own: list[Score] = []
        for label, answer in _answers(pair, truth, hole, labels, made, restore):
            score, picture = _measure(pair, label, truth, hole, answer, learned)
            own.append(score)
            if picture is not None:
                composed[label] = picture
                collected.see(pair.name, label, picture)
        scores += own
        if observer is not None:
            observer(Seen(pair, truth, hole, composed, tuple(own)))
    if not prints:
        first = next(iter(skipped.items()))
        raise EvaluationError(f"none of {len(pairs)} pairs can be measured; {first[0]}: {first[1]}")
    return tuple(scores), tuple(prints), skipped, collected


def _labels(methods: Sequence[str], outputs: Sequence[Path]) -> tuple[dict[str, str], dict[str, Path]]:
    """Label to method, where a model file is called by its stem, and label to folder."""
    if not methods and not outputs:
        raise EvaluationError("nothing to measure: give --method names or --outputs folders")
    names = [(label_of(method), method) for method in methods]
    names += [(folder.resolve().name, str(folder)) for folder in outputs]
    count = Counter(name for name, _ in names)
    # A run and its export, or one file's name in two folders: told apart by where they are.
    shown = [name if count[name] == 1 else f"{name} ({where})" for name, where in names]
    if len(set(shown)) < len(shown):
        twice, _ = Counter(shown).most_common(1)[0]
        raise EvaluationError(f"{twice} is given twice: leave one out")
    return (
        dict(zip(shown, methods, strict=False)),
        dict(zip(shown[len(methods) :], outputs, strict=True)),
    )


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


def _measure(
    pair: Pair, label: str, truth: Image, hole: Bool, answer: _Answer, learned: Sequence[PictureMetric]
) -> tuple[Score, Image | None]:
    buckets = buckets_of(hole)
    ratio = float(np.count_nonzero(hole)) / hole.size
    get, timed = answer
    started = time.perf_counter()
    try:
        output = get()
        seconds = time.perf_counter() - started if timed else None
        picture = compose(output, truth, hole)
    except RemendError as error:
        return Score(pair.name, label, ratio, error=str(error), buckets=buckets), None
    except Exception as error:  # whatever a method raises is told in the report, and the rest goes on
        reason = f"{type(error).__name__}: {error}"
        return Score(pair.name, label, ratio, error=reason, buckets=buckets), None
    outside = _outside(output, truth, ~hole)
    metrics = measure(picture, truth, hole)
    for metric in learned:
        metrics |= metric.measure(picture, truth, hole)
    return Score(pair.name, label, ratio, seconds, metrics, outside, buckets=buckets), picture


def _outside(output: Image, truth: Image, known: Bool) -> int:
    """Largest difference outside the hole, in levels."""
    if not known.any():
        return 0
    return int(np.abs(output[known].astype(np.int16) - truth[known]).max())
