"""What a net is shown: the section ``[data]`` of a recipe."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Data"]


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
        damage: "" = pictures are whole. Where they are damaged: a folder of masks called like them, white =
            damaged, or ``find``: it is looked for; what is damaged is never wanted nor judged. Or what is
            laid on whole ones, instead of holes: ``noise:5-50,jpeg:20-90,blur:0-2``, any of these (deviation
            of 255, quality, sigma in px): the worn picture is shown, the clean one wanted all over.
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
