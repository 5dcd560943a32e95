// What a pointer does to the mask. A tool is `begin`, `move`, `end`, `cancel`, in picture pixels; the
// same four serve the mouse, a pen, a finger and the keyboard's cursor.

import { Mask } from "./mask.js";
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
    twoLines(context);
  }
}

/** White on dark: seen on every picture. */
function twoLines(context) {
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

/** A rough mark, a click or a loop, that means an object: it marks nothing by itself. */
export class Rough {
  /** @param {import("./mask.js").Mask} mask @param {0 | 1} value @param {number} radius in picture pixels */
  constructor(mask, value, radius, redraw) {
    Object.assign(this, { mask, value, radius, redraw });
    /** @type {Point[]} */
    this.points = [];
  }

  begin(point) {
    this.points = [point];
  }

  move(point) {
    const last = this.points[this.points.length - 1];
    this.points.push(point);
    this.redraw(round(around([last, point]), this.radius + 2));
  }

  /** @returns {{marks: import("./mask.js").Difference}} what was gone over; of a loop, its whole outline */
  end() {
    const { points, mask, radius } = this;
    const rect = around(points);
    const side = Math.max(rect.right - rect.left, rect.bottom - rect.top);
    const [first, last] = [points[0], points[points.length - 1]];
    const path = points.reduce((sum, point, n) => sum + (n ? Math.hypot(point.x - points[n - 1].x, point.y - points[n - 1].y) : 0), 0);
    const isLoop = path > 2 * side && Math.hypot(last.x - first.x, last.y - first.y) < 0.5 * side;
    const line = isLoop ? [...points, first] : points;
    const own = new Mask(mask.width, mask.height);
    own.begin();
    line.forEach((point, n) => capsule(line[Math.max(0, n - 1)], point, radius, mask.height, (y, a, b) => own.fill(y, a, b, 1)));
    own.refresh({ left: 0, top: 0, right: mask.width, bottom: mask.height });
    own.commit();
    this.redraw(round(rect, radius + 2));
    return { marks: own.snapshot() };
  }

  cancel() {
    if (this.points.length) this.redraw(round(around(this.points), this.radius + 2));
    this.points = [];
  }

  /** The line while it is being drawn. @param {CanvasRenderingContext2D} context */
  outline(context, view) {
    context.beginPath();
    this.points.forEach((p, i) => context[i ? "lineTo" : "moveTo"](view.x + p.x * view.scale, view.y + p.y * view.scale));
    twoLines(context);
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
