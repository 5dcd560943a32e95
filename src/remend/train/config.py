"""The configuration of a training run: recipes in TOML, overridden by ``--set section.key=value``."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from remend.errors import UsageError
from remend.train.preset import small
from remend.train.ranges import check_range

__all__ = [
    "Critic",
    "Data",
    "Loss",
    "Recipe",
    "Tasks",
    "Train",
    "Transfer",
    "as_dict",
    "digest",
    "first_run",
    "from_dict",
    "load",
    "override",
    "without_folders",
]


@dataclass(frozen=True, slots=True)
class Data:
    """What the net is shown.

    Attributes:
        crop_px: side of the training crops, a multiple of the net's ``size_multiple``.
        thin: weight of thin holes (scratches, dust, cracks, text, thin strokes).
        free_form: weight of brush strokes.
        box: weight of boxes and centres.
        large: weight of holes over half of the crop.
        centre: weight of the hole of half of each side, in the middle.
        masks: a folder of mask files to draw holes from, or COCO's instances JSON; "" = generators alone.
        mask_polarity: what marks the hole in them: ``white``, ``black`` or ``alpha``.
        mask_share: share of samples that take a hole from them, the rest from the generators.
        flip: share of crops that are mirrored.
        scale_from: crops are shrunk by a factor drawn from this to 1.
        grey: share of pictures made grey or sepia.
        jpeg: share compressed after the damage, so that its traces lie around the hole.
        grain: share with film grain.
        validation: how many pictures are set aside, chosen by a hash of their names; at most a tenth.
        validation_px: side of the validation crops; where most pictures are smaller, as large as they are.
        enlarge: pictures smaller than the crop are enlarged to it, instead of left out.
        prior: share of the wider holes that start from the net's own fill at half scale, so that it learns
            to go from coarse to fine; the crop must suit the net at half its side.
        guide: share of samples that are shown the lines their hole held, for nets that follow lines.
        damage: where the pictures are damaged: a folder of masks called like them, white = damaged, or
            ``find``: it is looked for; "" = they are whole. What is damaged is never wanted nor judged.
        few: learn from this many pictures alone, chosen by a hash of their names; 0 = from all.
        memory_gib: pictures are kept decoded up to this, beyond it read from their files at each use.
        deduplicate: leave out all but one of pictures that look alike.
        exclude: a text file of names (``source/path``, as ``--check`` prints them) to leave out; "" = none.
        against: what results will be measured on; ``--check`` looks for its pictures in the data.
    """

    crop_px: int = 128
    thin: float = 0.4
    free_form: float = 0.3
    box: float = 0.15
    large: float = 0.15
    centre: float = 0.0
    masks: str = ""
    mask_polarity: str = "white"
    mask_share: float = 1.0
    flip: float = 0.5
    scale_from: float = 0.5
    grey: float = 0.15
    jpeg: float = 0.3
    grain: float = 0.15
    validation: int = 300
    validation_px: int = 176
    enlarge: bool = False
    prior: float = 0.0
    guide: float = 0.5
    damage: str = ""
    few: int = 0
    memory_gib: float = 6.0
    deduplicate: bool = False
    exclude: str = ""
    against: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """Weights of the losses; 0 leaves one out.

    Attributes:
        hole: L1 in the hole.
        ring: L1 on the known pixels within ``ring_px`` of it, of the net's own prediction there.
        valid: L1 on the other known pixels.
        perceptual: distance of the backbone's features of the composed picture, in and near the hole.
        hole_l2, ring_l2, valid_l2: the mean squared difference on the same three areas.
        hole_quarter: L1 in the hole at 1/4 scale: colours and shapes, without saying where each hair lies.
        hole_db: minus the hole's PSNR in dB: every picture counts alike. Its unit is large: 0.006 is much.
        style: distance of the Gram matrices of the backbone's features. It is relative to the target's, so
            the weights of papers (120, 250) do not carry over: begin at 0.1.
        tv: total variation of the composed picture in the hole and a rim of 1 px; it smooths.
        edge: L1 of Sobel gradients of the composed picture in the hole and a rim of 1 px.
        discount: the weight of a pixel in ``hole`` and ``hole_l2`` falls by this factor with each step from
            the known ones; 1 = all alike, 0.99 is DeepFill's.
        stages: how much the L1 of a net's earlier stages counts beside that of its answer: hole, ring and
            valid at their own weights.
        relative: above 0, the losses in the hole are divided by the base fill's own L1 there plus this, so
            that scratches count as much as wide holes; 0 = plain means over pictures.
        distill: distance from the fill of a teacher, in the hole, at four scales.
        teacher: who teaches: a run's folder, its ``best.safetensors``, or any model file (``.onnx``).
        over: ``area``: pixel losses are means over their own area, so that a scratch counts as much as a wide
            hole. ``frame``: over the whole frame, as in papers; the backbone's losses then too.
        features: how ``perceptual`` and ``style`` compare: ``unit``, our own scale, the same for every
            backbone; ``absolute`` or ``squared``: plain features, for the weights of papers.
        perceptual_input: what the backbone is shown: the ``filled`` picture, the net's own ``raw`` answer, or
            ``both``.
        ring_px: width of the ring.
        backbone: file with the backbone's weights: Keras' for SqueezeNet, safetensors for any other.
        backbone_name: ``squeezenet``, or a name that timm knows: ``vgg16``, ``resnet18`` …; with ``dilated_``
            before it, one that keeps its features at 1/8 and so sees further: ``dilated_resnet50``.
        backbone_maps: of the backbone's maps of features, take this many, fine to coarse; 0 = all.
    """

    hole: float = 2.0
    ring: float = 0.1
    valid: float = 0.0
    perceptual: float = 0.7
    hole_l2: float = 0.0
    ring_l2: float = 0.0
    valid_l2: float = 0.0
    hole_quarter: float = 0.0
    hole_db: float = 0.0
    style: float = 0.0
    tv: float = 0.0
    edge: float = 0.0
    stages: float = 0.0
    distill: float = 0.0
    discount: float = 1.0
    relative: float = 0.0
    ring_px: int = 16
    over: str = "area"
    features: str = "unit"
    perceptual_input: str = "filled"
    backbone: str = ""
    backbone_name: str = "squeezenet"
    backbone_maps: int = 0
    teacher: str = ""

    def weights(self) -> dict[str, float]:
        """The losses that count, by name."""
        settings = {"discount", "relative", "ring_px", "backbone_maps"}
        names = (
            field.name
            for field in dataclasses.fields(self)
            if field.name not in settings and field.type != "str"
        )
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Critic:
    """A critic to learn against; without a name there is none, and it costs nothing.

    Attributes:
        name: ``patch``, ``multiscale``, ``global``, ``sn_patch``, ``global_local``, ``residual`` or
            ``projected`` of ``remend.nets.critics``; "" = no critic.
        options: keyword arguments of the critic.
        loss: ``hinge``, ``non-saturating``, ``least-squares``, ``bce`` or ``wasserstein``.
        weight: of the adversarial loss; not used where ``balance`` is above 0.
        feature_matching: weight of the distance of the critic's features between filled and wanted.
        r1: gamma of the penalty on the critic's gradient at real pictures; 0 = none.
        r1_every: steps of the critic between two penalties, each then counted that many times.
        gp: lambda of the penalty on the critic's gradient between real and filled pictures, at each of its
            steps; ``wasserstein`` needs it, 10 in papers. 0 = none.
        path_length: weight of the penalty on fills that move unevenly with the noise, for nets that take
            noise; 0 = none.
        path_every: steps of the net between two of these, each then counted that many times.
        lr: highest learning rate of the critic; its schedule is the net's.
        betas: of the critic's Adam.
        steps: of the critic at each step of the net at which it learns.
        every: steps of the net between two at which the critic learns.
        from_samples: crops learned from before the critic begins.
        mask_as_target: known patches of a filled picture count as real.
        soft_px: sigma by which the hole is softened for that, for the critic; AOT-GAN's is 10 at 512².
        augment: kinds of DiffAugment, separated by commas: colour, translation, cutout; "" = none.
        balance: size of the adversarial gradient at the net's output, as a share of the
            reconstruction's, held at every step; 0 = take ``weight`` as it is.
    """

    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    loss: str = "hinge"
    weight: float = 0.1
    feature_matching: float = 0.0
    r1: float = 0.0
    r1_every: int = 16
    gp: float = 0.0
    path_length: float = 0.0
    path_every: int = 4
    lr: float = 2e-4
    betas: tuple[float, float] = (0.0, 0.99)
    steps: int = 1
    every: int = 1
    from_samples: int = 0
    mask_as_target: bool = True
    soft_px: float = 0.0
    augment: str = ""
    balance: float = 0.0


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
        optimizer: ``adamw``, or ``muon``, for nets of dense convolutions: they overfit a few pictures in a
            fraction of the steps, and learn from crops that are new about as fast.
        lr: highest learning rate.
        lr_end: share of it that is left at the end of the cosine.
        hold: share of the samples over which it stays highest before the cosine begins.
        warmup: crops over which it rises.
        weight_decay: on kernels alone, decoupled.
        betas: of AdamW; with ``muon``, of what it leaves to AdamW.
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
    optimizer: str = "adamw"
    lr: float = 4e-4
    lr_end: float = 0.02
    hold: float = 0.0
    warmup: int = 4_000
    weight_decay: float = 0.01
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


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run.

    Attributes:
        net: name in ``remend.nets.registry``.
        options: keyword arguments of the net's body.
        data, loss, critic, tasks, transfer, train: the sections.
    """

    net: str
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Data = Data()
    loss: Loss = Loss()
    critic: Critic = Critic()
    tasks: Tasks = Tasks()
    transfer: Transfer = Transfer()
    train: Train = Train()


_SECTIONS = {
    "data": Data,
    "loss": Loss,
    "critic": Critic,
    "tasks": Tasks,
    "transfer": Transfer,
    "train": Train,
}
_FILES = (
    ("data", "masks"),
    ("data", "damage"),
    ("data", "against"),
    ("data", "exclude"),
    ("loss", "backbone"),
    ("loss", "teacher"),
    ("transfer", "weights"),
)


def load(name: str, *, preset: str = "") -> Recipe:
    """Read a recipe: the package's own by name, or a TOML file by path.

    Args:
        name: or path.
        preset: ``small`` cuts it down to one CPU, as ``remend.train.preset`` says; "" = as it is.

    Raises:
        UsageError: no such recipe, no TOML, or keys and values that a recipe does not have; another preset.
    """
    if preset not in ("", "small"):
        raise UsageError(f"no preset is called {preset!r}: give small, or none")
    content = _content(name)
    content.pop("first_run", None)
    own = content.pop("small", {})
    recipe = from_dict(content)
    if not isinstance(own, Mapping):
        raise UsageError(f"[small] of a recipe is a table, got {own!r}")
    cut_down = from_dict(small(as_dict(recipe), own))  # what it says is checked, asked for or not
    return cut_down if preset else recipe


def first_run(name: str) -> str:
    """The recipe of the run whose weights this one goes on from, where it cannot do without; "" = none.

    Raises:
        UsageError: no such recipe, or no TOML.

    >>> first_run("edge_connect"), first_run("unet")
    ('edge_connect_edges', '')
    """
    return str(_content(name).get("first_run", ""))


def from_dict(content: Mapping[str, Any]) -> Recipe:
    """Make a recipe of what a TOML or JSON file holds.

    Raises:
        UsageError: unknown keys, or values of the wrong kind or out of their range.

    >>> from_dict({"net": "remend", "train": {"batch": 8}}).train.batch
    8
    """
    unknown = set(content) - {"net", "options", *_SECTIONS}
    if unknown:
        raise UsageError(f"a recipe has no {_named(unknown)}: it has net, options, {', '.join(_SECTIONS)}")
    if not isinstance(content.get("net"), str):
        raise UsageError('a recipe names its net: net = "remend"')
    sections = {name: _section(name, kind, content.get(name, {})) for name, kind in _SECTIONS.items()}
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in content.get("options", {}).items()}
    return Recipe(content["net"], options, **sections)


def override(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """Apply ``section.key=value`` settings, values written as in TOML (strings need no quotes).

    Raises:
        UsageError: a setting without ``=``, an unknown key, or a value of the wrong kind.

    >>> override(Recipe("remend"), ["train.batch=8", "loss.backbone=a/b.h5"]).loss.backbone
    'a/b.h5'
    """
    content = as_dict(recipe)
    for setting in settings:
        path, separator, text = setting.partition("=")
        section, _, key = path.strip().partition(".")
        if not separator or not key:
            raise UsageError(f"--set takes section.key=value, got {setting!r}: write --set train.batch=8")
        if section not in (*_SECTIONS, "options"):
            raise UsageError(
                f"a recipe has no section {section!r} (--set {setting}): "
                f"choose {', '.join(_SECTIONS)} or options"
            )
        content.setdefault(section, {})[key] = _parse(text.strip())
    return from_dict(content)


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values, ready for JSON."""
    plain: dict[str, Any] = json.loads(
        json.dumps({**dataclasses.asdict(recipe), "options": dict(recipe.options)})
    )
    return plain


def digest(recipe: Recipe) -> str:
    """SHA-256 over the whole recipe; where files lie on this machine does not count."""
    content = without_folders(as_dict(recipe))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def without_folders(content: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's plain values with files by name: where they lie on this machine is nobody's business."""
    named = {section: dict(v) if isinstance(v, Mapping) else v for section, v in content.items()}
    for section, key in _FILES:
        if key in named.get(section, {}):
            named[section][key] = Path(named[section][key]).name
    return named


def _content(name: str) -> dict[str, Any]:
    """What a recipe's file holds: the package's own by name, or a TOML file by path."""
    shipped = resources.files("remend.train") / "recipes"
    if name.endswith(".toml"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"the recipe {name} cannot be read ({error.strerror})") from error
    else:
        known = sorted(p.name.removesuffix(".toml") for p in shipped.iterdir() if p.name.endswith(".toml"))
        if name not in known:
            raise UsageError(
                f"no recipe is called {name!r}: choose one of {', '.join(known)}, or a .toml file"
            )
        text = (shipped / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the recipe {name} is no TOML: {error}") from error


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _section(name: str, kind: type, content: Any) -> Any:
    if not isinstance(content, Mapping):
        raise UsageError(f"[{name}] of a recipe is a table, got {content!r}")
    hints = get_type_hints(kind)
    unknown = set(content) - set(hints)
    if unknown:
        raise UsageError(f"[{name}] has no {_named(unknown)}: it has {', '.join(hints)}")
    values = {key: _typed(f"{name}.{key}", hints[key], value) for key, value in content.items()}
    for key, value in values.items():
        check_range(f"{name}.{key}", value)
    return kind(**values)


def _typed(where: str, wanted: Any, value: Any) -> Any:
    """``value`` as ``wanted``; an int passes for a float, a list for a tuple."""
    if get_origin(wanted) is tuple:
        kinds = get_args(wanted)
        if isinstance(value, (list, tuple)) and len(value) == len(kinds):
            return tuple(_typed(where, kind, item) for kind, item in zip(kinds, value, strict=True))
    elif get_origin(wanted) is Mapping:
        if isinstance(value, Mapping):
            return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    elif wanted is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif type(value) is wanted:
        return value
    raise UsageError(f"{where} is {getattr(wanted, '__name__', wanted)}, got {value!r}")


def _named(keys: set[str]) -> str:
    return ", ".join(repr(key) for key in sorted(keys))
