// The canvas: what is drawn, and when. Nothing is drawn that did not change; a stroke redraws the
// rectangle under the brush only.

import { fitted, held, zoomed } from "./view.js";

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
    this.overlay?.draw(context, view, clip);
    for (const draw of this.above) draw(context, view);
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
