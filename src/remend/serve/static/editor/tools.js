// What a pointer does to the mask. A tool is `begin`, `move`, `end`, `cancel`, in picture pixels; the
// same four serve the mouse, a pen, a finger and the keyboard's cursor.

import { box, capsule, polygon } from "./raster.js";

/** @typedef {{x: number, y: number}} Point */

const round = (rect, by) => ({
  left: Math.floor(rect.left - by),
  top: Math.floor(rect.top - by),
  right: Math.ceil(rect.right + by),
  bottom: Math.ceil(rect.bottom + by),
});

const around = (points) => ({
  left: Math.min(...points.map((p) => p.x)),
  top: Math.min(...points.map((p) => p.y)),
  right: Math.max(...points.map((p) => p.x)),
  bottom: Math.max(...points.map((p) => p.y)),
});

/** Close a tool's change: what it flipped, null when nothing, and all that it went over. */
function committed(mask) {
  const hand = mask.traced();
  return { difference: mask.commit(), hand };
}

/** A stroke of the brush (value 1) or the eraser (value 0). */
export class Stroke {
  constructor(mask, radius, value) {
    this.mask = mask;
    this.radius = radius;
    this.value = value;
  }

  /** @param {Point} point @param {Point | null} from a straight line from there, when given */
  begin(point, from = null) {
    this.mask.begin({ traced: true });
    this.last = from ?? point;
    this.move(point);
  }

  /** @param {Point} point */
  move(point) {
    const { mask, value } = this;
    capsule(this.last, point, this.radius, mask.height, (y, a, b) => mask.fill(y, a, b, value));
    mask.refresh(round(around([this.last, point]), this.radius + 1));
    this.last = point;
  }

  end() {
    return committed(this.mask);
  }

  cancel() {
    this.mask.revert();
  }
}

/** A shape that is drawn as an outline and filled when it is closed. */
class Shape {
  /** @param {(rect: import("./mask.js").Rect) => void} redraw */
  constructor(mask, value, redraw) {
    this.mask = mask;
    this.value = value;
    this.redraw = redraw;
    /** @type {Point[]} */
    this.points = [];
  }

  begin(point) {
    this.points = [point, point];
  }

  end() {
    const { mask, value } = this;
    mask.begin({ traced: true });
    this.fill((y, a, b) => mask.fill(y, a, b, value));
    const rect = round(around(this.points), 1);
    mask.refresh(rect);
    this.redraw(rect);
    return committed(mask);
  }

  cancel() {
    this.redraw(round(around(this.points), 1));
    this.points = [];
  }

  /** The outline while it is being drawn. @param {CanvasRenderingContext2D} context */
  outline(context, view) {
    if (this.points.length < 2) return;
    context.beginPath();
    this.trace(context, (p) => [view.x + p.x * view.scale, view.y + p.y * view.scale]);
    const ratio = devicePixelRatio || 1;
    for (const [width, colour] of [
      [3, "rgb(0 0 0 / 60%)"],
      [1.5, "#fff"],
    ]) {
      context.lineWidth = width * ratio;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
}

export class Lasso extends Shape {
  move(point) {
    const last = this.points[this.points.length - 1];
    if (Math.hypot(point.x - last.x, point.y - last.y) < 0.5) return;
    this.points.push(point);
    this.redraw(round(around([this.points[0], last, point]), 1));
  }

  fill(span) {
    polygon(this.points, this.mask.height, span);
  }

  trace(context, at) {
    this.points.forEach((p, i) => (i ? context.lineTo(...at(p)) : context.moveTo(...at(p))));
    context.closePath();
  }
}

export class Rectangle extends Shape {
  move(point) {
    const before = around(this.points);
    this.points[1] = point;
    const now = around(this.points);
    this.redraw(
      round(
        {
          left: Math.min(before.left, now.left),
          top: Math.min(before.top, now.top),
          right: Math.max(before.right, now.right),
          bottom: Math.max(before.bottom, now.bottom),
        },
        1,
      ),
    );
  }

  fill(span) {
    box(this.points[0], this.points[1], this.mask.height, span);
  }

  trace(context, at) {
    const [x0, y0] = at(this.points[0]);
    const [x1, y1] = at(this.points[1]);
    context.rect(x0, y0, x1 - x0, y1 - y0);
  }
}
