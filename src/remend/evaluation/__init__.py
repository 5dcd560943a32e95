"""Metrics, and reports over pairs of pictures and masks."""

from remend.evaluation.metrics import METRICS, compose, l1, measure, psnr, sharp, ssim
from remend.evaluation.pairs import Pair, PairSet, find_outputs, find_pairs
from remend.evaluation.protocol import Protocol
from remend.evaluation.run import Evaluation, Score, Seen, Summary, evaluate

__all__ = [
    "METRICS",
    "Evaluation",
    "Pair",
    "PairSet",
    "Protocol",
    "Score",
    "Seen",
    "Summary",
    "compose",
    "evaluate",
    "find_outputs",
    "find_pairs",
    "l1",
    "measure",
    "psnr",
    "sharp",
    "ssim",
]
