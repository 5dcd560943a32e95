// A picture as tiles at full, half, quarter … size. Drawing reads the level that fits the zoom and only
// the tiles in sight, so its cost is bound to the screen's pixels, never to the picture's.

import { levelFor } from "./view.js";

// Small: a repair is kept as tiles of its own beside the original's, and a speck must not cost a large one.
const SIDE = 128;
const AT_ONCE = 256; // tiles made before the page may breathe
const canvas = new OffscreenCanvas(SIDE, SIDE); // tiles are made on one: each new one would wait to be swept up

/** Let the page breathe between tiles of a large picture. */
const breath = () => new Promise((go) => setTimeout(go));

export class Pyramid {
  constructor(width, height, levels) {
    this.width = width;
    this.height = height;
    /** @type {{columns: number, rows: number, tiles: ImageBitmap[]}[]} */
    this.levels = levels;
  }

  /** @param {ImageBitmap} bitmap of the whole picture; closed as soon as it is in tiles */
  static async of(bitmap) {
    const { width, height } = bitmap;
    const levels = [];
    for (let level = 0; level === 0 || Math.max(width, height) >> (level - 1) > SIDE; level++) {
      const columns = Math.max(1, Math.ceil((width >> level) / SIDE));
      const rows = Math.max(1, Math.ceil((height >> level) / SIDE));
      levels.push({ columns, rows, tiles: new Array(columns * rows) });
    }
    const pyramid = new Pyramid(width, height, levels);
    for (let level = 0; level < levels.length; level++) {
      for (let index = 0; index < levels[level].tiles.length; index++) {
        pyramid.#make(level, index, (context, x, y) => context.drawImage(bitmap, -x, -y));
        if (index % AT_ONCE === AT_ONCE - 1) await breath();
      }
      // Halves are made of tiles: at 24 megapixels its 96 MB are gone before 32 more are taken.
      if (level === 0) bitmap.close();
    }
    return pyramid;
  }

  /**
   * The same picture with a patch over it. Tiles that the patch does not touch are shared.
   * @param {ImageBitmap} patch transparent where the picture stays; closed afterwards
   * @param {import("./mask.js").Rect[]} rects where it may be opaque
   */
  async patched(patch, rects) {
    const next = new Pyramid(
      this.width,
      this.height,
      this.levels.map((level) => ({ ...level, tiles: [...level.tiles] })),
    );
    for (let level = 0; level < this.levels.length; level++) {
      for (const index of this.#touched(level, rects)) {
        next.#make(level, index, (context, x, y) => {
          context.drawImage(this.levels[0].tiles[index], 0, 0);
          // The picture's own transparency stays: the patch is laid onto what is there.
          context.globalCompositeOperation = "source-atop";
          context.drawImage(patch, -x, -y);
        });
      }
      await breath();
    }
    patch.close();
    return next;
  }

  #touched(level, rects) {
    const { columns, rows } = this.levels[level];
    const side = SIDE << level;
    const found = new Set();
    for (const rect of rects) {
      const lastColumn = Math.min(columns - 1, Math.floor((rect.right - 1) / side));
      const lastRow = Math.min(rows - 1, Math.floor((rect.bottom - 1) / side));
      for (let row = Math.floor(rect.top / side); row <= lastRow; row++)
        for (let column = Math.floor(rect.left / side); column <= lastColumn; column++)
          found.add(row * columns + column);
    }
    return found;
  }

  /** Make one tile: level 0 by `paint`, the others from the four tiles below. */
  #make(level, index, paint) {
    const { columns, tiles } = this.levels[level];
    const column = index % columns;
    const row = Math.floor(index / columns);
    const width = Math.max(1, Math.min(SIDE, (this.width >> level) - column * SIDE));
    const height = Math.max(1, Math.min(SIDE, (this.height >> level) - row * SIDE));
    canvas.width = width; // blank again, even if it is the same
    canvas.height = height;
    const context = canvas.getContext("2d");
    if (level === 0) {
      paint(context, column * SIDE, row * SIDE);
    } else {
      context.imageSmoothingQuality = "low"; // at half size the mean of four; better ones keep copies of their own
      const below = this.levels[level - 1];
      for (let dy = 0; dy < 2; dy++) {
        for (let dx = 0; dx < 2; dx++) {
          const x = 2 * column + dx;
          const y = 2 * row + dy;
          if (x >= below.columns || y >= below.rows) continue;
          const tile = below.tiles[y * below.columns + x];
          context.drawImage(tile, (dx * SIDE) / 2, (dy * SIDE) / 2, tile.width / 2, tile.height / 2);
        }
      }
    }
    tiles[index] = canvas.transferToImageBitmap();
  }

  /**
   * Draw what is in sight.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./view.js").View} view
   * @param {import("./mask.js").Rect} clip in device pixels
   */
  draw(context, view, clip) {
    const level = levelFor(view.scale, this.levels.length);
    const { columns, rows, tiles } = this.levels[level];
    const step = view.scale * 2 ** level; // device pixels a sample of this level
    // Three device pixels a picture pixel and more: people want to see the pixels.
    context.imageSmoothingEnabled = view.scale < 3;
    context.imageSmoothingQuality = "low";
    const first = (edge, origin, step) => Math.max(0, Math.floor((edge - origin) / step - 1));
    const left = first(clip.left, view.x, step);
    const top = first(clip.top, view.y, step);
    const right = Math.ceil((clip.right - view.x) / step + 1);
    const bottom = Math.ceil((clip.bottom - view.y) / step + 1);
    // A level of an odd size lacks the last sample: its last tile is drawn out to the picture's edge.
    const farX = (column, x, tile) =>
      column === columns - 1 && x === tile.width ? this.width * view.scale : (column * SIDE + x) * step;
    const farY = (row, y, tile) =>
      row === rows - 1 && y === tile.height ? this.height * view.scale : (row * SIDE + y) * step;
    for (let row = Math.floor(top / SIDE); row < rows && row * SIDE < bottom; row++) {
      for (let column = Math.floor(left / SIDE); column < columns && column * SIDE < right; column++) {
        const tile = tiles[row * columns + column];
        const x0 = Math.max(left - column * SIDE, 0);
        const y0 = Math.max(top - row * SIDE, 0);
        const x1 = Math.min(right - column * SIDE, tile.width);
        const y1 = Math.min(bottom - row * SIDE, tile.height);
        if (x1 <= x0 || y1 <= y0) continue;
        // Edges on whole device pixels: neighbours meet without a gap.
        const toX = Math.round(view.x + (column * SIDE + x0) * step);
        const toY = Math.round(view.y + (row * SIDE + y0) * step);
        const endX = Math.round(view.x + farX(column, x1, tile));
        const endY = Math.round(view.y + farY(row, y1, tile));
        context.drawImage(tile, x0, y0, x1 - x0, y1 - y0, toX, toY, endX - toX, endY - toY);
      }
    }
  }

  /** Give the memory of tiles back, except those that `other` uses too. @param {Pyramid | null} other */
  close(other = null) {
    const used = new Set(other ? other.levels.flatMap((level) => level.tiles) : []);
    for (const level of this.levels) for (const tile of level.tiles) if (!used.has(tile)) tile.close();
  }
}
