"""What a recipe does without files that nobody can ship with it; a line says what they would add."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

from remend.nets.critics import needs_backbone
from remend.train.config import Loss, Recipe

__all__ = ["without_files"]

_ON_TIMM, _OURS = "transfer_unet", "squeezenet"
# Losses that say what belongs into a hole, pixel by pixel.
_IN_HOLES = ("hole", "hole_l2", "hole_db", "hole_quarter", "distill", "perceptual", "style")


def without_files(recipe: Recipe) -> tuple[Recipe, list[str]]:
    """The recipe as it can be learned with the files at hand, and a note for each that is missing.

    Without timm an encoder that it would make is our SqueezeNet. Without a backbone's weights there are no
    losses on its features and no critic that looks through it; without a teacher none is followed. Where
    nothing would be left to say what belongs into a hole, L1 does.

    >>> recipe, notes = without_files(Recipe("unet"))
    >>> recipe.loss.perceptual, len(notes)
    (0.0, 1)
    """
    loss, critic, notes = recipe.loss, recipe.critic, []
    encoder = recipe.options.get("encoder", "resnet18" if recipe.net == _ON_TIMM else _OURS)
    if encoder != _OURS and not recipe.transfer.weights and find_spec("timm") is None:
        recipe = replace(recipe, options={**recipe.options, "encoder": _OURS})
        notes.append(
            f"note: without timm (pip install 'remend[timm]') there is no {encoder}: the encoder is {_OURS}"
        )
    blind = bool(critic.name) and needs_backbone(critic.name)
    if not loss.backbone and (loss.perceptual or loss.style or blind):
        asked = [f"loss.{name}" for name in ("perceptual", "style") if getattr(loss, name)]
        asked += [f"the {critic.name} critic"] if blind else []
        kind = "FILE.h5" if loss.backbone_name == "squeezenet" else "FILE.safetensors"
        loss = replace(loss, perceptual=0.0, style=0.0)
        critic = replace(critic, name="") if blind else critic
        notes.append(
            f"note: without {loss.backbone_name}'s weights (--set loss.backbone={kind}) "
            f"{' and '.join(asked)} "
            f"{'is' if len(asked) == 1 else 'are'} left out: fills stay softer than with them"
        )
    if loss.distill and not loss.teacher:
        loss = replace(loss, distill=0.0)
        notes.append(
            "note: without a teacher (--set loss.teacher=RUN or FILE.onnx) loss.distill is left out: the net "
            "learns from pictures alone"
        )
    if (loss, critic) != (recipe.loss, recipe.critic) and not any(getattr(loss, name) for name in _IN_HOLES):
        # Where the whole frame is held to L1, the hole at the same weight; else at the usual one.
        loss = replace(loss, hole=max(loss.ring, loss.valid) if loss.over == "frame" else 0.0)
        loss = loss if loss.hole else replace(loss, hole=Loss().hole)
        notes.append(f"note: loss.hole={loss.hole:g}, since no other loss says what belongs into a hole")
    return replace(recipe, loss=loss, critic=critic), notes
