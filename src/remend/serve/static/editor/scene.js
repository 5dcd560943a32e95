// The picture on the stage: its tiles, with the answer that is shown laid over them.

import { Overlay } from "./overlay.js";
import { decode } from "./pictures.js";
import { Pyramid } from "./pyramid.js";
import { COLOURS, settings } from "./settings.js";

export class Scene {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {import("./work.js").Work | null} */
    this.work = null;
    this.shown = null; // id of the answer in `stage.current`
    this.turn = 0; // what is being made for an older turn is thrown away
  }

  /**
   * Put a picture on the stage.
   * @param {import("./work.js").Work} work @param {ImageBitmap | Promise<ImageBitmap>} bitmap of its file
   */
  async show(work, bitmap) {
    const turn = ++this.turn;
    const { stage } = this;
    const original = await Pyramid.of(await bitmap);
    if (turn !== this.turn) {
      original.close();
      return false;
    }
    this.#clear();
    this.work = work;
    stage.original = original;
    stage.current = original;
    stage.overlay = new Overlay(work.mask, COLOURS[settings.colour]);
    work.mask.changed = (rect) => {
      stage.overlay.update(rect);
      stage.redrawPart(rect);
    };
    await this.refresh();
    return this.work === work;
  }

  /** No picture. */
  empty() {
    this.turn++;
    this.#clear();
    this.stage.redraw();
  }

  #clear() {
    const { stage, work } = this;
    if (work) work.mask.changed = () => {};
    const { original, current } = stage;
    stage.original = stage.current = stage.overlay = null;
    this.work = null;
    this.shown = null;
    if (current && current !== original) current.close(original);
    original?.close();
  }

  /** Bring what is shown to the answer that is chosen now. @returns {Promise<boolean>} whether that is another one */
  async refresh() {
    const { work, stage } = this;
    if (!work) return false;
    const answer = work.record.state === "rejected" ? null : work.answer;
    if ((answer?.id ?? null) === this.shown) return false;
    const turn = ++this.turn;
    let next = stage.original;
    if (answer?.patch) next = await stage.original.patched(await createImageBitmap(answer.patch), work.repairedRects);
    else if (answer?.file) next = await Pyramid.of((await decode({ file: answer.file })).bitmap);
    if (turn !== this.turn) return false;
    const before = stage.current;
    stage.current = next;
    this.shown = answer?.id ?? null;
    if (before !== stage.original) before.close(stage.original);
    stage.redraw();
    return answer !== null;
  }

  /**
   * What is on the stage, or a part of it, as a small picture.
   * @param {import("./mask.js").Rect} [rect] @param {number} [most] its longer side
   * @param {Blob | null} [patch] show this over the original instead of what is shown
   */
  async thumbnail(rect, most = 184, patch = null) {
    const current = patch ? this.stage.original : this.stage.current;
    const part = rect ?? { left: 0, top: 0, right: current.width, bottom: current.height };
    const scale = Math.min(2, most / Math.max(part.right - part.left, part.bottom - part.top));
    const width = Math.max(1, Math.round((part.right - part.left) * scale));
    const height = Math.max(1, Math.round((part.bottom - part.top) * scale));
    const canvas = new OffscreenCanvas(width, height);
    const view = { scale, x: -part.left * scale, y: -part.top * scale };
    const context = canvas.getContext("2d");
    current.draw(context, view, { left: 0, top: 0, right: width, bottom: height });
    if (patch) {
      const bitmap = await createImageBitmap(patch);
      context.globalCompositeOperation = "source-atop";
      context.drawImage(bitmap, view.x, view.y, bitmap.width * scale, bitmap.height * scale);
      bitmap.close();
    }
    return canvas.convertToBlob({ type: "image/webp", quality: 0.85 });
  }
}
