"""Lettering that belongs to the scene."""

from __future__ import annotations

import math

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from remend.damage.synth.scenes.view import View

__all__ = ["sign"]


def sign(view: View) -> None:
    """Lettering that belongs to the scene: on a board in perspective, on a wall, on cloth."""
    rng, (h, w) = view.rng, view.size
    for _ in range(int(rng.integers(1, 4))):
        letters = "ABCDEFGHIKLMNOPRSTUVWZ" if rng.random() < 0.6 else "abcdefghiklmnoprstuvwz 0123456789"
        words = "\n".join(
            "".join(rng.choice(list(letters), int(rng.integers(2, 11))))
            for _ in range(int(rng.integers(1, 4)))
        )
        font = ImageFont.load_default(48.0)
        probe = ImageDraw.Draw(Image.new("L", (1, 1)))
        left, top, right, bottom = (int(v) for v in probe.multiline_textbbox((0, 0), words, font=font))
        pad = 16
        board = Image.new("L", (right - left + 2 * pad, bottom - top + 2 * pad))
        ImageDraw.Draw(board).multiline_text(
            (pad - left, pad - top), words, fill=255, font=font, align="center"
        )
        ink = np.asarray(board)
        bh, bw = ink.shape
        scale = float(rng.uniform(0.12, 0.5)) * min(w / bw, h / bh) * float(rng.choice([1, 1, 1.6]))
        angle = float(rng.normal(0, 0.15))
        c, s = math.cos(angle) * scale, math.sin(angle) * scale
        middle = rng.uniform(0.15, 0.85, 2) * (w, h)
        corners = (
            np.array([[-bw, -bh], [bw, -bh], [bw, bh], [-bw, bh]]) / 2 @ np.array([[c, s], [-s, c]]) + middle
        )
        corners = corners + rng.normal(0, 0.08 * scale * bh, (4, 2))
        source = np.array([[0, 0], [bw, 0], [bw, bh], [0, bh]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32) * view.zoom)
        sheet = cv2.warpPerspective(ink, matrix, (w * view.zoom, h * view.zoom), flags=cv2.INTER_AREA)
        if rng.random() < 0.55:
            panel = view.sheet()
            view.area(panel, corners)
            view.lay(view.cover(panel), view.tone(0.5) * rng.uniform(0.7, 1.3, 3), lit=0.8)
        own = (
            np.clip(view.light * 0.15, 0, 1)
            if rng.random() < 0.5
            else np.broadcast_to(view.bright_tone(), (h, w, 3))
        )
        view.lay(view.cover(np.asarray(sheet, np.uint8)) * np.float32(rng.uniform(0.6, 0.95)), own, lit=0.7)
