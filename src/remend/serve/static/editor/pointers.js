// Mouse, pen and fingers on the stage, turned into strokes, panning and zooming.

import { moved, toPicture, zoomed } from "./view.js";

/**
 * @typedef {{begin: (point: any, how: {erase: boolean, line: boolean}) => boolean, move: (points: any[]) => void,
 *   end: () => void, cancel: () => void, hover: (place: {x: number, y: number} | null) => void,
 *   hand: () => boolean, size: (factor: number) => void}} Actions
 */
export class Pointers {
  /** @param {import("./stage.js").Stage} stage @param {Actions} actions */
  constructor(stage, actions) {
    this.stage = stage;
    this.actions = actions;
    /** @type {Map<number, {x: number, y: number}>} fingers on the glass */
    this.touches = new Map();
    /** @type {"stroke" | "pan" | "pinch" | null} */
    this.doing = null;
    this.space = false;
    this.control = false;
    const { element } = stage;
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event));
    element.addEventListener("pointercancel", (event) => this.#up(event, true));
    element.addEventListener("pointerleave", () => this.doing === null && actions.hover(null));
    // A quick stroke would count as a fling, and the tap on a button after it as what stops the fling.
    element.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    addEventListener("keydown", (event) => {
      if (event.key === "Control") this.control = true;
    });
    addEventListener("keyup", (event) => {
      if (event.key === "Control") this.control = false;
    });
    addEventListener("blur", () => {
      this.control = false;
      this.setSpace(false);
    });
  }

  get busy() {
    return this.doing === "stroke";
  }

  /** Space held: the picture is dragged, whatever the tool. */
  setSpace(held) {
    this.space = held;
    this.#cursor();
  }

  #cursor() {
    const { element } = this.stage;
    if (this.doing === "pan") element.dataset.grabbing = "";
    else delete element.dataset.grabbing;
    element.dispatchEvent(new CustomEvent("cursor"));
  }

  #down(event) {
    if (!this.stage.picture) return;
    const place = this.stage.place(event);
    if (event.pointerType === "touch") {
      this.touches.set(event.pointerId, place);
      if (this.touches.size === 2) {
        // A second finger: this was never meant as a stroke.
        if (this.doing === "stroke") this.actions.cancel();
        this.doing = "pinch";
        this.pinch = this.#spread();
      }
      if (this.touches.size > 1) return;
    }
    if (this.doing) return;
    this.stage.element.setPointerCapture(event.pointerId);
    this.stage.element.focus({ preventScroll: true, focusVisible: false });
    this.pointer = event.pointerId;
    if (this.space || event.button === 1 || this.actions.hand()) {
      event.preventDefault(); // the middle button would scroll
      this.doing = "pan";
      this.last = place;
      this.#cursor();
      return;
    }
    if (event.button !== 0 && event.button !== 2 && event.button !== 5) return;
    const erase = event.button === 2 || event.button === 5; // 5: the other end of a pen
    if (this.actions.begin(this.#point(place), { erase, line: event.shiftKey })) this.doing = "stroke";
    this.actions.hover(place);
  }

  #move(event) {
    const place = this.stage.place(event);
    if (event.pointerType === "touch") {
      if (!this.touches.has(event.pointerId)) return;
      this.touches.set(event.pointerId, place);
      if (this.doing === "pinch") return this.#pinch();
    } else {
      this.actions.hover(place);
    }
    if (event.pointerId !== this.pointer) return;
    if (this.doing === "stroke") {
      const all = event.getCoalescedEvents?.() ?? [];
      const events = all.length ? all : [event];
      this.actions.move(events.map((one) => this.#point(this.stage.place(one))));
    } else if (this.doing === "pan") {
      const { stage } = this;
      stage.fits = false;
      stage.show(moved(stage.view, place.x - this.last.x, place.y - this.last.y, stage.picture, stage.screen));
      this.last = place;
    }
  }

  #up(event, given_up = false) {
    this.touches.delete(event.pointerId);
    if (this.doing === "pinch") {
      if (this.touches.size === 0) this.doing = null;
      else if (this.touches.size >= 2) this.pinch = this.#spread();
      return;
    }
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    const { doing } = this;
    this.doing = null;
    if (doing === "stroke") given_up ? this.actions.cancel() : this.actions.end();
    this.#cursor();
    if (event.pointerType === "touch") this.actions.hover(null);
  }

  #point(place) {
    return toPicture(this.stage.view, place.x, place.y);
  }

  #spread() {
    const [a, b] = [...this.touches.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }

  #pinch() {
    if (this.touches.size < 2) return;
    const { stage, pinch } = this;
    const now = this.#spread();
    const along = moved(stage.view, now.x - pinch.x, now.y - pinch.y, stage.picture, stage.screen);
    stage.fits = false;
    stage.show(zoomed(along, now.distance / pinch.distance, now.x, now.y, stage.picture, stage.screen));
    this.pinch = now;
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const turn = Math.max(-200, Math.min(200, event.deltaY * lines));
    // A pinch on a touchpad arrives as a wheel with Ctrl that no key holds: that is zooming.
    if (event.ctrlKey && this.control) return this.actions.size(Math.exp(-turn / 400));
    this.stage.zoom(Math.exp(-turn / (event.ctrlKey ? 90 : 320)), this.stage.place(event));
  }
}
