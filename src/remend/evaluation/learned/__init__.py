"""Learned metrics. Those on PyTorch are imported only when somebody asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from remend.errors import UsageError
from remend.evaluation.features import FeatureArrays, FeatureNet, OnnxDistance, OnnxFeatures, PictureMetric

__all__ = ["judges"]

_KERAS = (".h5", ".hdf5")


def judges(
    *,
    features: Sequence[Path] = (),
    lpips: tuple[Path, Path] | None = None,
) -> tuple[tuple[PictureMetric, ...], tuple[FeatureNet | FeatureArrays, ...]]:
    """What measures beyond the plain metrics, for ``evaluate(learned=…, features=…)``.

    Args:
        features: ``.h5``: SqueezeNet v1.1, which gives PD and vectors of fire9; ``.onnx``: a feature net,
            or one that answers several maps, which gives a PD of its own; a folder: arrays made elsewhere
            (``FeatureArrays``).
        lpips: backbone and linear weights.

    Raises:
        UsageError: a file of another kind, or PyTorch is needed and not installed.
        ModelError, EvaluationError: a file that cannot be read.
    """
    metrics: list[PictureMetric] = []
    nets: list[FeatureNet | FeatureArrays] = []
    for path in features:
        if path.is_dir():
            nets.append(FeatureArrays(path))
        elif path.suffix.lower() == ".onnx":
            net = OnnxFeatures(path)
            if net.maps > 1:
                metrics.append(OnnxDistance(path))
            else:
                nets.append(net)
        elif path.suffix.lower() in _KERAS:
            try:
                from remend.evaluation.learned.perceptual import PerceptualDistance, SqueezeNetFeatures
            except ModuleNotFoundError as error:
                raise _missing("PD", error) from error
            metrics.append(PerceptualDistance(path))
            nets.append(SqueezeNetFeatures(path))
        else:
            raise UsageError(
                f"{path}: features come from SqueezeNet's .h5, an .onnx feature net, or a folder of .npy"
            )
    if lpips is not None:
        try:
            from remend.evaluation.learned.lpips import Lpips
        except ModuleNotFoundError as error:
            raise _missing("LPIPS", error) from error
        metrics.append(Lpips(*lpips))
    names = [judge.name for judge in nets] + [name for metric in metrics for name in metric.names]
    if len(set(names)) < len(names):
        raise UsageError("two --features would have the same name: rename one file, or give it once")
    return tuple(metrics), tuple(nets)


def _missing(what: str, error: ModuleNotFoundError) -> UsageError:
    return UsageError(f"{what} needs {error.name}, which is not installed: pip install 'remend[train]'")
