// Look around in a 360° picture: drag round its seam, look straight down, and paint there, where the flat picture
// is torn apart or drawn out.

import { $ } from "./elements.js";
import { COLOURS, settings } from "./settings.js";
import { angleOf, between, cap, look, seenAt } from "./sphere.js";
import { tr } from "./words.js";

const ROUNDED_PX = 2; // what scaling may leave of twice as wide as high, as the server has it
const MOST_WIDE = 4096; // of the copy that is looked at: 32 MB while it is open
const COARSE = 2; // while it moves, so many pixels of the screen are one
const STEP = Math.PI / 18;
const [NARROWEST, WIDEST] = [Math.PI / 9, (2 * Math.PI) / 3];

/** Whether a picture may be one. @param {{width: number, height: number}} picture */
const mayBe = ({ width, height }) => Math.abs(width - 2 * height) <= ROUNDED_PX;

/**
 * @param {{stage: import("./stage.js").Stage, easel: import("./easel.js").Easel, scene: import("./scene.js").Scene,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>}} parts
 */
export function lookingAround({ stage, easel, scene, display }) {
  const dialog = /** @type {HTMLDialogElement} */ ($("around"));
  const canvas = /** @type {HTMLCanvasElement} */ ($("around-view"));
  const context = canvas.getContext("2d", { alpha: false });
  const gaze = { yaw: 0, pitch: 0, field: Math.PI / 2 };
  let source = null;
  let last = null; // of the stroke or the drag, in CSS pixels
  let still = 0;
  let frame = 0;

  function open() {
    if (!scene.work || easel.active || scene.work.mask.isOpen) return;
    Object.assign(gaze, { yaw: 0, pitch: 0, field: Math.PI / 2 });
    source = copyOf(stage.current);
    paints(false);
    dialog.showModal();
    canvas.focus({ focusVisible: false });
    draw();
  }

  /** The picture in one piece, no wider than is worth it. @param {import("./pyramid.js").Pyramid} pyramid */
  function copyOf(pyramid) {
    const width = Math.min(MOST_WIDE, pyramid.width);
    const scale = width / pyramid.width;
    const height = Math.max(1, Math.round(pyramid.height * scale));
    const flat = new OffscreenCanvas(width, height);
    const flatContext = flat.getContext("2d", { willReadFrequently: true });
    pyramid.draw(flatContext, { scale, x: 0, y: 0 }, { left: 0, top: 0, right: width, bottom: height });
    const { data } = flatContext.getImageData(0, 0, width, height);
    return { width, height, scale, pixels: new Uint32Array(data.buffer) };
  }

  function draw(coarse = 1) {
    if (!source) return;
    const ratio = (devicePixelRatio || 1) / coarse;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    const image = context.createImageData(canvas.width, canvas.height);
    const { mask } = scene.work;
    const isMarked = mask.isEmpty()
      ? () => false
      : (x, y) => mask.at(Math.floor((x + 0.5) / source.scale), Math.floor((y + 0.5) / source.scale)) === 1;
    const colour = parseInt(COLOURS[settings.colour].slice(1), 16);
    look(image, gaze, source, isMarked, ((colour & 255) << 16) | (colour & 0xff00) | (colour >> 16));
    context.putImageData(image, 0, 0);
    canvas.dataset.yaw = String(Math.round((gaze.yaw * 180) / Math.PI));
    canvas.dataset.pitch = String(Math.round((gaze.pitch * 180) / Math.PI));
  }

  /** Coarsely now, in full when it rests. */
  function redraw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => draw(COARSE));
    clearTimeout(still);
    still = setTimeout(() => draw(), 150);
  }

  function turn(yaw, pitch) {
    gaze.yaw = (gaze.yaw + yaw) % (2 * Math.PI);
    gaze.pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, gaze.pitch + pitch));
    redraw();
  }

  function zoom(factor) {
    gaze.field = Math.max(NARROWEST, Math.min(WIDEST, gaze.field * factor));
    redraw();
  }

  const isPainting = () => $("around-paint").getAttribute("aria-pressed") === "true";

  function paints(on) {
    $("around-paint").setAttribute("aria-pressed", String(on));
    canvas.dataset.cursor = on ? "cross" : "grab";
  }

  const screen = () => ({ width: canvas.clientWidth, height: canvas.clientHeight });
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.x, y: event.clientY - box.y };
  };

  /** A dab, or a piece of a stroke. */
  function paint(from, to, value) {
    const { mask } = scene.work;
    const radius = Math.max(angleOf(easel.span / 2, gaze, screen()), Math.PI / mask.height);
    const [one, two] = [from, to].map((point) => seenAt(point.x, point.y, gaze, screen(), mask));
    for (const point of between(one, two, radius, mask)) cap(point, radius, mask, (y, a, b) => mask.fill(y, a, b, value));
    redraw();
  }

  function began() {
    scene.work.mask.begin({ traced: true });
  }

  function ended(erased) {
    const { mask } = scene.work;
    mask.refresh({ left: 0, top: 0, right: mask.width, bottom: mask.height });
    const hand = mask.traced();
    scene.work.paint({ difference: mask.commit(), hand, label: erased ? "eraser" : "brush stroke", erased });
    redraw();
  }

  let value = 1;
  canvas.addEventListener("pointerdown", (event) => {
    if (last) return;
    event.preventDefault();
    canvas.focus({ focusVisible: false });
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    if (!isPainting()) return;
    value = event.button === 2 ? 0 : 1;
    began();
    paint(last, last, value);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last || !canvas.hasPointerCapture(event.pointerId)) return;
    const next = place(event);
    if (scene.work.mask.isOpen) paint(last, next, value);
    else {
      const perPixel = gaze.field / canvas.clientWidth;
      turn((last.x - next.x) * perPixel, (next.y - last.y) * perPixel);
    }
    last = next;
  });
  const lifted = () => {
    if (last && scene.work?.mask.isOpen) ended(value === 0);
    last = null;
  };
  canvas.addEventListener("pointerup", lifted);
  canvas.addEventListener("pointercancel", lifted);
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(event.deltaY / 600));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const turns = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    const zooms = { "+": 0.8, "=": 0.8, "-": 1.25 };
    if (event.ctrlKey || event.metaKey) return;
    if (event.key in turns) turn(...turns[event.key]);
    else if (event.key in zooms) zoom(zooms[event.key]);
    else if (event.key === "Enter" && isPainting() && !scene.work.mask.isOpen) {
      const { width, height } = screen();
      const middle = { x: width / 2, y: height / 2 };
      began();
      paint(middle, middle, event.shiftKey ? 0 : 1);
      ended(event.shiftKey);
    } else return;
    event.preventDefault();
  });
  new ResizeObserver(() => dialog.open && redraw()).observe(canvas);
  dialog.addEventListener("close", () => {
    lifted();
    clearTimeout(still);
    cancelAnimationFrame(frame);
    source = null;
    canvas.width = canvas.height = 1;
    stage.redraw();
    $("stage").focus({ preventScroll: true, focusVisible: false });
  });
  $("look-around").addEventListener("click", open);
  $("around-paint").addEventListener("click", () => paints(!isPainting()));
  $("around-seam").addEventListener("click", () => {
    Object.assign(gaze, { yaw: Math.PI, pitch: 0 });
    redraw();
  });
  $("around-down").addEventListener("click", () => {
    gaze.pitch = -Math.PI / 2;
    redraw();
  });
  $("around-in").addEventListener("click", () => zoom(0.8));
  $("around-out").addEventListener("click", () => zoom(1.25));

  function show() {
    const { work } = scene;
    $("look-around").hidden = !work || !mayBe(work.record);
    canvas.setAttribute("aria-label", work ? tr`${work.record.name}, all around` : "");
  }

  display.onRefresh(show);
}
