// Painting: the tools, the brush and its ring, and the keyboard's cursor, on whatever mask is on the stage.

import { Pointers } from "./pointers.js";
import { Lasso, Rectangle, Rough, Stroke } from "./tools.js";
import { moved } from "./view.js";

const LARGEST = 600; // screen pixels across
const USUAL = 26;

export class Easel extends EventTarget {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    super();
    this.stage = stage;
    /** @type {import("./mask.js").Mask | null} */
    this.mask = null;
    this.tool = "brush";
    this.span = USUAL; // of the brush across, in screen pixels: it stays as large on the screen when that is zoomed
    /** @type {Stroke | Lasso | Rectangle | null} being drawn */
    this.active = null;
    this.lastPoint = null;
    this.place = null; // of the pointer, in device pixels
    this.cursor = null; // of the keyboard, in picture pixels
    this.ring = document.getElementById("ring");
    this.cross = document.getElementById("cross");
    this.pointers = new Pointers(stage, {
      begin: (point, how) => this.begin(point, how),
      move: (points) => points.forEach((point) => this.active.move(point)),
      end: () => this.end(),
      cancel: () => this.cancel(),
      hover: (place) => this.#hover(place),
      hand: () => this.tool === "hand",
      size: (factor) => this.resize(factor),
    });
    stage.element.addEventListener("cursor", () => this.#cursors());
    stage.addEventListener("view", () => this.#cursors());
    stage.element.addEventListener("keydown", (event) => this.#key(event));
    stage.element.addEventListener("blur", () => this.#hideCross());
    stage.above.push((context, view) => this.active?.outline?.(context, view));
    this.#cursors();
  }

  /** @param {string} tool */
  choose(tool) {
    if (this.active) this.cancel();
    this.tool = tool;
    this.#cursors();
    this.dispatchEvent(new Event("tool"));
  }

  /** The brush across, in picture pixels. */
  get size() {
    return Math.max(1, (this.span * (devicePixelRatio || 1)) / this.stage.view.scale);
  }

  /** The brush, larger or smaller. @param {number} factor */
  resize(factor) {
    this.#setSpan(factor > 1 ? Math.max(this.span + 1, this.span * factor) : Math.min(this.span - 1, this.span * factor));
  }

  #setSpan(span) {
    this.span = Math.min(LARGEST, Math.max(2, span));
    this.#cursors();
    this.dispatchEvent(new Event("size"));
  }

  /** Slider places are even steps of proportion: 0 is 2 screen pixels, 1 the largest. */
  get share() {
    return Math.log(this.span / 2) / Math.log(LARGEST / 2);
  }

  set share(share) {
    this.#setSpan(2 * Math.exp(share * Math.log(LARGEST / 2)));
  }

  begin(point, { erase = false, line = false } = {}) {
    if (!this.mask || this.mask.isOpen) return false;
    if (this.tool === "pick") {
      this.dispatchEvent(new CustomEvent("pick", { detail: point }));
      return false;
    }
    const value = erase || this.tool === "eraser" ? 0 : 1;
    const redraw = (rect) => this.stage.redrawPart(rect);
    const finest = (2.5 * (devicePixelRatio || 1)) / this.stage.view.scale;
    if (this.tool === "select") this.active = new Rough(this.mask, value, finest, redraw);
    else if (this.tool === "lasso") this.active = new Lasso(this.mask, value, redraw);
    else if (this.tool === "box") this.active = new Rectangle(this.mask, value, redraw);
    else this.active = new Stroke(this.mask, this.size / 2, value);
    this.active.begin(point, line ? this.lastPoint : null);
    return true;
  }

  end() {
    const { active } = this;
    if (!active) return;
    this.active = null;
    this.lastPoint = active.last ?? null;
    if (this.tool === "select") {
      this.dispatchEvent(new CustomEvent("select", { detail: { ...active.end(), erased: active.value === 0 } }));
      return;
    }
    const names = { brush: "brush stroke", eraser: "eraser", lasso: "lasso", box: "box" };
    const detail = { ...active.end(), label: names[this.tool], erased: active.value === 0 };
    this.dispatchEvent(new CustomEvent("painted", { detail }));
  }

  cancel() {
    const { active } = this;
    this.active = null;
    active?.cancel();
  }

  #hover(place) {
    this.place = place;
    if (place) this.#hideCross();
    this.#cursors();
    this.dispatchEvent(new Event("hover"));
  }

  get usesBrush() {
    return this.tool === "brush" || this.tool === "eraser";
  }

  #cursors() {
    const { element, screen } = this.stage;
    const panning = this.pointers?.space || this.tool === "hand";
    const grabbing = this.pointers?.doing === "pan";
    element.dataset.cursor = grabbing ? "grabbing" : panning ? "grab" : this.tool === "pick" ? "pick" : this.usesBrush ? "ring" : "cross";
    const at = this.cursor ? this.#onScreen(this.cursor) : this.place;
    const show = this.usesBrush && at && !panning && !grabbing;
    this.ring.hidden = !show;
    if (show) {
      const ratio = screen.width / (element.clientWidth || 1);
      const across = Math.max(4, (this.size * this.stage.view.scale) / ratio);
      this.ring.style.width = this.ring.style.height = `${across}px`;
      this.ring.style.transform = `translate(${at.x / ratio - across / 2}px, ${at.y / ratio - across / 2}px)`;
    }
    this.cross.hidden = !this.cursor;
    if (this.cursor) {
      const ratio = screen.width / (element.clientWidth || 1);
      const { x, y } = this.#onScreen(this.cursor);
      this.cross.style.transform = `translate(${x / ratio}px, ${y / ratio}px)`;
    }
  }

  #onScreen({ x, y }) {
    const { view } = this.stage;
    return { x: view.x + x * view.scale, y: view.y + y * view.scale };
  }

  #hideCross() {
    if (!this.cursor) return;
    if (this.active && !this.pointers.busy) this.cancel();
    this.cursor = null;
    this.#cursors();
  }

  /** Arrow keys move a cursor of their own; Enter puts the brush down and lifts it. */
  #key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { stage } = this;
    if (!stage.picture || event.ctrlKey || event.metaKey) return;
    if (event.key in steps) {
      event.preventDefault();
      const [dx, dy] = steps[event.key];
      if (event.shiftKey) {
        stage.fits = false;
        stage.show(moved(stage.view, -dx * 60, -dy * 60, stage.picture, stage.screen));
        return;
      }
      const step = (event.altKey ? 1 : Math.max(4, this.usesBrush ? (this.size * stage.view.scale) / 2 : 8)) / stage.view.scale;
      const from = this.cursor ?? this.#middle();
      this.cursor = {
        x: Math.min(stage.picture.width, Math.max(0, from.x + dx * step)),
        y: Math.min(stage.picture.height, Math.max(0, from.y + dy * step)),
      };
      this.active?.move(this.cursor);
      this.#keepInSight();
      this.#cursors();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!this.cursor) this.cursor = this.#middle();
      if (this.active) this.end();
      else this.begin(this.cursor, { erase: event.shiftKey });
      this.#cursors();
    } else if (event.key === "Escape" && (this.active || this.cursor)) {
      event.preventDefault();
      if (this.active) this.cancel();
      else this.#hideCross();
    }
  }

  #middle() {
    const { view, middle, picture } = this.stage;
    return {
      x: Math.min(picture.width, Math.max(0, (middle.x - view.x) / view.scale)),
      y: Math.min(picture.height, Math.max(0, (middle.y - view.y) / view.scale)),
    };
  }

  #keepInSight() {
    const { stage } = this;
    const { x, y } = this.#onScreen(this.cursor);
    const edge = 40;
    const dx = x < edge ? edge - x : x > stage.screen.width - edge ? stage.screen.width - edge - x : 0;
    const dy = y < edge ? edge - y : y > stage.screen.height - edge ? stage.screen.height - edge - y : 0;
    if (dx || dy) stage.show(moved(stage.view, dx, dy, stage.picture, stage.screen));
  }
}
