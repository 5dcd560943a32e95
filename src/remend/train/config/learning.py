"""How it is learned, from what, and what else: the sections ``[train]``, ``[transfer]`` and ``[tasks]``."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Tasks", "Train", "Transfer"]


@dataclass(frozen=True, slots=True)
class Tasks:
    """What is learned beside restoration, from the features of its encoder; by default nothing.

    Attributes:
        classification: weight of telling what a picture shows; 0 = it is not learned.
        segmentation: weight of telling, at 1/4 scale, which outlined thing a pixel belongs to.
        detection: weight of finding boxes of outlined things.
        weigh: ``uncertainty``: the weights, restoration's too, are where learning them begins; ``fixed``:
            they stay as they are, restoration's at 1.
        classes: names of the classes that count, separated by commas; "" = all that the data name.
        few: use the labels of this many pictures alone, chosen by a hash of their names; 0 = of all.
        share: share of samples drawn from pictures with a label; 0 = as they come.
        width: channels of the heads.
    """

    classification: float = 0.0
    segmentation: float = 0.0
    detection: float = 0.0
    weigh: str = "uncertainty"
    classes: str = ""
    few: int = 0
    share: float = 0.0
    width: int = 64

    def weights(self) -> dict[str, float]:
        """The tasks that are learned, by name."""
        names = ("classification", "segmentation", "detection")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is learned from another net; without weights, a body's own encoder may still be pretrained.

    Attributes:
        weights: file (``best.safetensors`` or ``.onnx``), run or checkpoint folder to start from; what fits
            by name and shape is taken, and a line says what did not. "" = start fresh.
        freeze_until: crops until which the encoder is left as it is.
        encoder_lr: learning rate of the encoder, as a factor.
        layer_decay: factor on the learning rate with each layer group further from the output; 1 = none.
    """

    weights: str = ""
    freeze_until: int = 0
    encoder_lr: float = 1.0
    layer_decay: float = 1.0


@dataclass(frozen=True, slots=True)
class Train:
    """How it is learned.

    Attributes:
        samples: crops to see in all; the schedule ends there.
        minutes: the run's time, reading pictures included, where a machine is lent for so long: as many
            samples are seen as fit, and the schedule follows the clock. 0 = ``samples``. One device alone.
        batch: crops a step, over all devices.
        accumulate: parts that a step's batch is computed in, one after the other; their gradients are added
            up, and weights move once. A large batch then fits into the memory of a small one.
        optimizer: ``adamw``, ``adam``, ``sgd``, ``rmsprop``; or ``muon``, for nets of dense convolutions:
            they overfit a few pictures in a fraction of the steps, and learn from new crops about as fast.
        lr: highest learning rate.
        schedule: how it falls: ``cosine``; ``step``: times ``lr_factor`` each ``step_every`` crops;
            ``plateau``: times ``lr_factor`` after ``patience`` validations that were no better than the best;
            ``constant``: not at all.
        lr_end: share of it that is left at the end of the cosine.
        hold: share of the samples over which it stays highest before the cosine begins.
        lr_factor: see ``schedule``.
        step_every: crops between two falls; 0 = a third of the samples.
        patience: validations without a better score, before a fall. The score is that of ``best``; ``last``
            stands for PSNR.
        warmup: crops over which it rises.
        weight_decay: on kernels alone: decoupled from the gradient by ``adamw`` and ``muon``, added to it as
            L2 by ``adam``, ``sgd`` and ``rmsprop``.
        l1: weight of the sum of the kernels' absolute values: many of them go to about 0.
        momentum: of ``sgd`` and ``rmsprop``.
        betas: of Adam and AdamW; with ``muon``, of what it leaves to AdamW.
        clip: largest norm of the gradient; 0 = no limit.
        ema_half_life: crops after which half of the averaged weights is new.
        seed: of everything drawn.
        loaders: threads or processes that make samples.
        drawn_by: ``threads``, or ``processes``, which draw as many as there are cores, the same samples bit
            for bit; ``auto`` = processes on CUDA. Damaged pictures, labels, and pictures that do not fit into
            ``data.memory_gib`` are drawn by threads.
        log_every: crops between two lines of the log.
        validate_every: crops between two validations.
        save_minutes: minutes between two checkpoints.
        keep: checkpoints to keep besides the best.
        best: which checkpoint is the best, and so exported: ``psnr``, ``pd`` (distance of features, needs
            ``loss.backbone``), ``sharp-aware`` (PSNR less 4 dB for each factor of 2 in sharpness), ``last``,
            or any score of validation, such as ``psnr_box``. ``auto``: ``psnr`` without a critic; with one
            ``pd`` or, without a backbone, ``sharp-aware``. With a critic, only checkpoints after it joined.
    """

    samples: int = 1_500_000
    minutes: float = 0.0
    batch: int = 16
    accumulate: int = 1
    optimizer: str = "adamw"
    lr: float = 4e-4
    schedule: str = "cosine"
    lr_end: float = 0.02
    hold: float = 0.0
    lr_factor: float = 0.1
    step_every: int = 0
    patience: int = 3
    warmup: int = 4_000
    weight_decay: float = 0.01
    l1: float = 0.0
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    ema_half_life: int = 15_000
    seed: int = 0
    loaders: int = 2
    drawn_by: str = "auto"
    log_every: int = 1_600
    validate_every: int = 32_000
    save_minutes: float = 5.0
    keep: int = 2
    best: str = "auto"
