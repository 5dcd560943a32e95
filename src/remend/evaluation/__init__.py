"""Metrics, frozen protocols, and reports over pairs of pictures and masks."""

from remend.evaluation.analysis import Analysis, Difference, Group, Mean, analyse
from remend.evaluation.bootstrap import intervals
from remend.evaluation.buckets import BUCKETS, buckets_of
from remend.evaluation.comparison import Comparison, EvaluationReport, compare, read_report
from remend.evaluation.distributions import fid, ids, kid
from remend.evaluation.features import FeatureArrays, FeatureNet, OnnxFeatures, PictureMetric
from remend.evaluation.frozen import Frozen, freeze, read_frozen, verify, write_frozen
from remend.evaluation.pairs import Pair, PairSet, find_outputs, find_pairs
from remend.evaluation.protocol import Protocol
from remend.evaluation.run import evaluate
from remend.evaluation.scores import Evaluation, Score, Seen, Summary
from remend.metrics import METRICS, compose, l1, measure, psnr, sharp, ssim

__all__ = [
    "BUCKETS",
    "METRICS",
    "Analysis",
    "Comparison",
    "Difference",
    "Evaluation",
    "EvaluationReport",
    "FeatureArrays",
    "FeatureNet",
    "Frozen",
    "Group",
    "Mean",
    "OnnxFeatures",
    "Pair",
    "PairSet",
    "PictureMetric",
    "Protocol",
    "Score",
    "Seen",
    "Summary",
    "analyse",
    "buckets_of",
    "compare",
    "compose",
    "evaluate",
    "fid",
    "find_outputs",
    "find_pairs",
    "freeze",
    "ids",
    "intervals",
    "kid",
    "l1",
    "measure",
    "psnr",
    "read_frozen",
    "read_report",
    "sharp",
    "ssim",
    "verify",
    "write_frozen",
]
