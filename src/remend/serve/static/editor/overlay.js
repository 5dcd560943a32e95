// The mask as colour over the picture: small canvases of the level that the zoom asks for, made when they
// come into sight and brought up to date rectangle by rectangle.

import { SMALLEST_LEVEL, TILE } from "./mask.js";
import { levelFor } from "./view.js";

const KEPT = 220; // canvases of 256 × 256: 55 MB at most

export class Overlay {
  /** @param {import("./mask.js").Mask} mask @param {string} colour like #ff2d7a */
  constructor(mask, colour) {
    this.mask = mask;
    /** @type {Map<string, OffscreenCanvas | null>} null: nothing is marked there */
    this.canvases = new Map();
    this.level = 0;
    this.dye(colour);
  }

  /** @param {string} colour */
  dye(colour) {
    const value = parseInt(colour.slice(1), 16);
    const bgr = ((value & 255) << 16) | (value & 0xff00) | (value >> 16);
    // Coverage to colour. Thin damage seen from afar is drawn stronger than it covers, or nobody would see it.
    this.table = new Uint32Array(256);
    for (let cover = 1; cover < 256; cover++)
      this.table[cover] = ((Math.round(150 * Math.pow(cover / 255, 0.4)) << 24) | bgr) >>> 0;
    this.canvases.clear();
  }

  /** @param {import("./mask.js").Rect} rect of the picture that changed */
  update(rect) {
    const size = TILE << this.level;
    for (const [key, canvas] of this.canvases) {
      const [level, column, row] = key.split(" ").map(Number);
      if (level !== this.level) {
        this.canvases.delete(key); // made again when that zoom comes back
        continue;
      }
      const left = Math.max(rect.left, column * size);
      const top = Math.max(rect.top, row * size);
      const right = Math.min(rect.right, (column + 1) * size);
      const bottom = Math.min(rect.bottom, (row + 1) * size);
      if (left >= right || top >= bottom) continue;
      if (canvas === null) this.canvases.delete(key);
      else if (!this.#tiles(column, row).length) this.canvases.set(key, null);
      else {
        const x = (left - column * size) >> level;
        const y = (top - row * size) >> level;
        const x1 = Math.min(TILE, ((right - column * size - 1) >> level) + 1);
        const y1 = Math.min(TILE, ((bottom - row * size - 1) >> level) + 1);
        this.#paint(canvas, column, row, x, y, x1 - x, y1 - y);
      }
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {import("./view.js").View} view
   * @param {import("./mask.js").Rect} clip in device pixels
   */
  draw(context, view, clip) {
    this.level = levelFor(view.scale, SMALLEST_LEVEL + 1);
    const step = view.scale * TILE * 2 ** this.level; // device pixels a canvas
    const columns = Math.ceil(this.mask.width / (TILE << this.level));
    const rows = Math.ceil(this.mask.height / (TILE << this.level));
    context.imageSmoothingEnabled = view.scale < 1;
    const lastColumn = Math.min(columns - 1, Math.floor((clip.right - view.x) / step));
    const lastRow = Math.min(rows - 1, Math.floor((clip.bottom - view.y) / step));
    for (let row = Math.max(0, Math.floor((clip.top - view.y) / step)); row <= lastRow; row++) {
      for (let column = Math.max(0, Math.floor((clip.left - view.x) / step)); column <= lastColumn; column++) {
        const canvas = this.#canvas(column, row);
        if (!canvas) continue;
        const x = Math.round(view.x + column * step);
        const y = Math.round(view.y + row * step);
        const endX = Math.round(view.x + (column + 1) * step);
        const endY = Math.round(view.y + (row + 1) * step);
        context.drawImage(canvas, x, y, endX - x, endY - y);
      }
    }
  }

  #canvas(column, row) {
    const key = `${this.level} ${column} ${row}`;
    let canvas = this.canvases.get(key);
    if (canvas === undefined) {
      canvas = null;
      if (this.#tiles(column, row).length) {
        canvas = new OffscreenCanvas(TILE, TILE);
        this.#paint(canvas, column, row, 0, 0, TILE, TILE);
      }
    } else {
      this.canvases.delete(key); // put back as the youngest
    }
    this.canvases.set(key, canvas);
    if (this.canvases.size > KEPT) this.canvases.delete(this.canvases.keys().next().value);
    return canvas;
  }

  /** The mask's tiles under one canvas. */
  #tiles(column, row) {
    const { mask, level } = this;
    const found = [];
    const lastRow = Math.min(mask.rows, (row + 1) << level);
    const lastColumn = Math.min(mask.columns, (column + 1) << level);
    for (let y = row << level; y < lastRow; y++)
      for (let x = column << level; x < lastColumn; x++) {
        const tile = mask.tiles[y * mask.columns + x];
        if (tile && !tile.isEmpty()) found.push({ tile, x, y });
      }
    return found;
  }

  /** Paint a rectangle of one canvas from the tiles' copies at this level. */
  #paint(canvas, column, row, left, top, width, height) {
    const { level, table } = this;
    const image = new ImageData(width, height);
    const out = new Uint32Array(image.data.buffer);
    const side = TILE >> level;
    for (const { tile, x, y } of this.#tiles(column, row)) {
      const source = level === 0 ? tile.pixels : tile.small[level - 1];
      const full = level === 0 ? 255 : 1;
      const tileX = (x - (column << level)) * side - left;
      const tileY = (y - (row << level)) * side - top;
      const fromX = Math.max(0, -tileX);
      const toX = Math.min(side, width - tileX);
      const toY = Math.min(side, height - tileY);
      for (let sy = Math.max(0, -tileY); sy < toY; sy++) {
        const base = (tileY + sy) * width + tileX;
        for (let sx = fromX; sx < toX; sx++) out[base + sx] = table[source[sy * side + sx] * full];
      }
    }
    canvas.getContext("2d", { willReadFrequently: true }).putImageData(image, left, top);
  }
}
