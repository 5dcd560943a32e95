// The canvas: what is drawn, and when. Nothing is drawn that did not change; a stroke redraws the
// rectangle under the brush only.

import { fitted, held, zoomed } from "./view.js";

const UNVEIL_MS = 700;

export class Stage extends EventTarget {
  /** @param {HTMLElement} element with a canvas inside */
  constructor(element) {
    super();
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.screen = { width: 1, height: 1 };
    /** @type {import("./view.js").View} */
    this.view = { scale: 1, x: 0, y: 0 };
    /** @type {import("./pyramid.js").Pyramid | null} */
    this.original = null;
    /** @type {import("./pyramid.js").Pyramid | null} */
    this.current = null;
    /** @type {import("./overlay.js").Overlay | null} */
    this.overlay = null;
    this.holdOriginal = false;
    /** Share of the screen's width that shows the original; null: no slider. @type {number | null} */
    this.compare = null;
    /** @type {((context: CanvasRenderingContext2D, view: any) => void)[]} drawn above all */
    this.above = [];
    /** A repair that has just landed: where it is, and how much of it is shown. @type {{rects: any[], share: number} | null} */
    this.veil = null;
    this.dirty = null;
    this.fits = true; // follow the window's size until somebody zooms
    new ResizeObserver(() => this.measure()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.measure();
  }

  get picture() {
    return this.original ? { width: this.original.width, height: this.original.height } : null;
  }

  /** Bring the canvas to the size of its place. */
  measure() {
    const box = this.element.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    const width = Math.max(1, Math.round(box.width * ratio));
    const height = Math.max(1, Math.round(box.height * ratio));
    if (width === this.screen.width && height === this.screen.height) return;
    const dx = (width - this.screen.width) / 2;
    const dy = (height - this.screen.height) / 2;
    this.screen = { width, height };
    this.canvas.width = width;
    this.canvas.height = height;
    if (this.original) {
      if (this.fits) this.fit();
      else this.show(held({ ...this.view, x: this.view.x + dx, y: this.view.y + dy }, this.picture, this.screen));
    }
    this.#draw(); // at once: a resized canvas is blank
  }

  /** From an event's place to device pixels of the canvas. */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const ratio = this.screen.width / (box.width || 1);
    return { x: (event.clientX - box.left) * ratio, y: (event.clientY - box.top) * ratio };
  }

  get middle() {
    return { x: this.screen.width / 2, y: this.screen.height / 2 };
  }

  show(view) {
    this.view = view;
    this.redraw();
    this.dispatchEvent(new Event("view"));
  }

  fit() {
    if (!this.picture) return;
    this.fits = true;
    const ratio = devicePixelRatio || 1;
    const side = Math.min(24, (this.screen.width / ratio) * 0.03) * ratio;
    // Below, the brush's and the zoom's controls float: the picture is not under them.
    this.show(fitted(this.picture, this.screen, { side, top: side, bottom: 72 * ratio }));
  }

  zoom(factor, at = this.middle) {
    if (!this.picture) return;
    this.fits = false;
    this.show(zoomed(this.view, factor, at.x, at.y, this.picture, this.screen));
  }

  /** Show a repair from left to right, as if a hand went over it. @param {import("./mask.js").Rect[]} rects where it is */
  unveil(rects) {
    if (!rects.length || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const veil = { rects, share: 0 };
    this.veil = veil;
    const began = performance.now();
    const step = () => {
      if (this.veil !== veil) return;
      const along = Math.min(1, (performance.now() - began) / UNVEIL_MS);
      veil.share = 1 - (1 - along) ** 3;
      if (along === 1) this.veil = null;
      this.redraw();
      if (this.veil) requestAnimationFrame(step);
    };
    step();
  }

  redraw() {
    this.#ask({ left: 0, top: 0, right: this.screen.width, bottom: this.screen.height });
  }

  /** @param {import("./mask.js").Rect} rect of the picture that looks different now */
  redrawPart(rect) {
    const { scale, x, y } = this.view;
    const around = 2 + Math.ceil(scale);
    this.#ask({
      left: Math.floor(x + rect.left * scale) - around,
      top: Math.floor(y + rect.top * scale) - around,
      right: Math.ceil(x + rect.right * scale) + around,
      bottom: Math.ceil(y + rect.bottom * scale) + around,
    });
  }

  #ask(rect) {
    if (this.dirty) {
      this.dirty.left = Math.min(this.dirty.left, rect.left);
      this.dirty.top = Math.min(this.dirty.top, rect.top);
      this.dirty.right = Math.max(this.dirty.right, rect.right);
      this.dirty.bottom = Math.max(this.dirty.bottom, rect.bottom);
      return;
    }
    this.dirty = { ...rect };
    requestAnimationFrame(() => this.dirty && this.#draw());
  }

  #draw() {
    const whole = { left: 0, top: 0, right: this.screen.width, bottom: this.screen.height };
    const rect = this.dirty ?? whole;
    this.dirty = null;
    const clip = {
      left: Math.max(0, rect.left),
      top: Math.max(0, rect.top),
      right: Math.min(whole.right, rect.right),
      bottom: Math.min(whole.bottom, rect.bottom),
    };
    if (clip.left >= clip.right || clip.top >= clip.bottom) return;
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(clip.left, clip.top, clip.right - clip.left, clip.bottom - clip.top);
    context.clip();
    context.fillStyle = getComputedStyle(this.element).backgroundColor;
    context.fillRect(clip.left, clip.top, clip.right - clip.left, clip.bottom - clip.top);
    if (this.current) this.#drawPicture(clip);
    context.restore();
  }

  #drawPicture(clip) {
    const { context, view } = this;
    if (this.holdOriginal) {
      this.original.draw(context, view, clip);
      return;
    }
    const edge = this.compare === null ? 0 : Math.round(this.compare * this.screen.width);
    if (edge < clip.right) this.#half(this.current, { ...clip, left: Math.max(clip.left, edge) });
    if (edge > clip.left) this.#half(this.original, { ...clip, right: Math.min(clip.right, edge) });
    if (this.veil && this.compare === null) this.#drawVeil(clip);
    this.overlay?.draw(context, view, clip);
    for (const draw of this.above) draw(context, view);
  }

  /** What a repair has not come to yet: still the original there, and a seam of light. */
  #drawVeil(clip) {
    const { context, view, veil } = this;
    const xs = veil.rects.flatMap((rect) => [rect.left, rect.right]).map((x) => view.x + x * view.scale);
    const seam = Math.min(...xs) + veil.share * (Math.max(...xs) - Math.min(...xs));
    const width = 3 * (devicePixelRatio || 1);
    for (const rect of veil.rects) {
      const part = {
        left: Math.max(clip.left, seam, view.x + rect.left * view.scale),
        top: Math.max(clip.top, view.y + rect.top * view.scale),
        right: Math.min(clip.right, view.x + rect.right * view.scale),
        bottom: Math.min(clip.bottom, view.y + rect.bottom * view.scale),
      };
      if (part.left >= part.right || part.top >= part.bottom) continue;
      this.#half(this.original, part);
      if (part.left > seam + 1) continue;
      context.fillStyle = "rgb(230 180 80 / 90%)";
      context.fillRect(seam - width / 2, part.top, width, part.bottom - part.top);
    }
  }

  #half(pyramid, clip) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(clip.left, clip.top, clip.right - clip.left, clip.bottom - clip.top);
    this.context.clip();
    pyramid.draw(this.context, this.view, clip);
    this.context.restore();
  }
}
