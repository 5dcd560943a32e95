// The mask: one byte a pixel (1 = repair) in tiles that exist only where something is marked.
// Each tile keeps smaller copies of itself (coverage, 0 to 255), so that drawing it at any zoom reads
// about as many samples as there are pixels on the screen. Changes are kept as differences: a step of
// undo is the runs that flipped, never a bitmap.

export const TILE = 256;
const PIXELS = TILE * TILE;
export const SMALLEST_LEVEL = 8; // 256 >> 8 = 1

/** @typedef {{index: number, runs: Uint16Array}[]} Difference pixels that flip, tile by tile */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Rect right and bottom exclusive */

class Tile {
  constructor(pixels = new Uint8Array(PIXELS)) {
    this.pixels = pixels;
    this.small = []; // small[k]: coverage at level k + 1
    for (let side = TILE / 2; side >= 1; side /= 2) this.small.push(new Uint8Array(side * side));
  }

  /** Bring the small copies up to date within a rectangle of the tile's own pixels. */
  shrink(left, top, right, bottom) {
    let below = this.pixels;
    let side = TILE;
    for (let k = 0; k < this.small.length; k++) {
      const here = this.small[k];
      const half = side >> 1;
      left >>= 1;
      top >>= 1;
      right = Math.min(half, (right + 1) >> 1);
      bottom = Math.min(half, (bottom + 1) >> 1);
      const full = k === 0 ? 255 : 1; // the pixels are 0 or 1, the copies 0 to 255
      for (let y = top; y < bottom; y++) {
        for (let x = left, at = 2 * y * side + 2 * left; x < right; x++, at += 2) {
          const sum = below[at] + below[at + 1] + below[at + side] + below[at + side + 1];
          here[y * half + x] = (sum * full + 3) >> 2; // rounded up: the thinnest scratch stays visible
        }
      }
      below = here;
      side = half;
    }
  }

  isEmpty() {
    return this.small[this.small.length - 1][0] === 0;
  }
}

export class Mask {
  /** @param {number} width @param {number} height of the picture */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.columns = Math.ceil(width / TILE);
    this.rows = Math.ceil(height / TILE);
    /** @type {(Tile | null)[]} */
    this.tiles = new Array(this.columns * this.rows).fill(null);
    /** @type {Map<number, Uint8Array | null> | null} what the touched tiles were before the open change */
    this.before = null;
    /** @type {Map<number, Uint8Array> | null} all that the open change has filled, flipped or not */
    this.trace = null;
    /** @type {(() => void)[]} who waits for the open change to close */
    this.waiting = [];
    /** @type {(rect: Rect) => void} told of every rectangle that may look different */
    this.changed = () => {};
  }

  /**
   * Start a change; everything until `commit` or `revert` is one step.
   * @param {{traced?: boolean}} [options] traced: `traced` will tell all that was filled
   */
  begin({ traced = false } = {}) {
    if (this.before) throw new Error("a change of the mask is already open");
    this.before = new Map();
    this.trace = traced ? new Map() : null;
  }

  get isOpen() {
    return this.before !== null;
  }

  /** Wait until no stroke is being drawn. */
  async settled() {
    while (this.before) await new Promise((go) => this.waiting.push(go));
  }

  #close() {
    this.before = this.trace = null;
    for (const go of this.waiting.splice(0)) go();
  }

  /**
   * Mark or unmark one row of pixels; only inside an open change. Call `refresh` when the shape is done.
   * @param {number} y @param {number} from @param {number} to exclusive @param {0 | 1} value
   */
  fill(y, from, to, value) {
    if (y < 0 || y >= this.height) return;
    from = Math.max(0, from);
    to = Math.min(this.width, to);
    const row = (y >> 8) * this.columns;
    const offset = (y & 255) << 8;
    while (from < to) {
      const column = from >> 8;
      const end = Math.min(to, (column + 1) << 8);
      const index = row + column;
      let tile = this.tiles[index];
      if (tile || value) {
        if (!this.before.has(index)) this.before.set(index, tile ? tile.pixels.slice() : null);
        if (!tile) tile = this.tiles[index] = new Tile();
        const start = offset + (from & 255);
        tile.pixels.fill(value, start, start + end - from);
        if (this.trace) {
          if (!this.trace.has(index)) this.trace.set(index, new Uint8Array(PIXELS));
          this.trace.get(index).fill(1, start, start + end - from);
        }
      }
      from = end;
    }
  }

  /** Bring the small copies up to date and tell who draws. @param {Rect} rect */
  refresh(rect) {
    const left = Math.max(0, rect.left);
    const top = Math.max(0, rect.top);
    const right = Math.min(this.width, rect.right);
    const bottom = Math.min(this.height, rect.bottom);
    if (left >= right || top >= bottom) return;
    for (let row = top >> 8; row <= (bottom - 1) >> 8; row++) {
      for (let column = left >> 8; column <= (right - 1) >> 8; column++) {
        const tile = this.tiles[row * this.columns + column];
        if (!tile) continue;
        const x = column << 8;
        const y = row << 8;
        tile.shrink(
          Math.max(0, left - x),
          Math.max(0, top - y),
          Math.min(TILE, right - x),
          Math.min(TILE, bottom - y),
        );
      }
    }
    this.changed({ left, top, right, bottom });
  }

  /** All that the open, traced change has filled, whether it flipped or not. @returns {Difference} */
  traced() {
    return [...this.trace].map(([index, pixels]) => ({ index, runs: flipped(null, pixels) }));
  }

  /** Call `part(from, to)` for what of a row of pixels is not marked here. */
  eachGap(y, from, to, part) {
    for (let x = from; x < to; x++) {
      if (this.at(x, y)) continue;
      const start = x;
      while (x < to && !this.at(x, y)) x++;
      part(start, x);
    }
  }

  /** Close the change. @returns {Difference | null} what flipped; null when nothing did */
  commit() {
    const difference = [];
    for (const [index, before] of this.before) {
      const tile = this.tiles[index];
      const runs = flipped(before, tile ? tile.pixels : null);
      if (runs.length) difference.push({ index, runs });
      if (tile && tile.isEmpty()) this.tiles[index] = null;
    }
    this.#close();
    return difference.length ? difference : null;
  }

  /** Close the change as if it had never been. */
  revert() {
    const touched = [...this.before];
    this.#close();
    for (const [index, before] of touched) {
      this.tiles[index] = before ? new Tile(before) : null;
      this.#refreshTile(index);
    }
  }

  /** Flip what a difference says: undo and redo are the same. @param {Difference} difference */
  flip(difference) {
    for (const { index, runs } of difference) {
      const tile = (this.tiles[index] ??= new Tile());
      eachRun(runs, (from, to) => {
        for (let i = from; i < to; i++) tile.pixels[i] ^= 1;
      });
      this.#refreshTile(index);
      if (tile.isEmpty()) this.tiles[index] = null;
    }
  }

  #refreshTile(index) {
    const rect = this.rectOf(index);
    this.tiles[index]?.shrink(0, 0, TILE, TILE);
    this.changed(rect);
  }

  /** @param {number} index of a tile @returns {Rect} */
  rectOf(index) {
    const left = (index % this.columns) * TILE;
    const top = Math.floor(index / this.columns) * TILE;
    return {
      left,
      top,
      right: Math.min(left + TILE, this.width),
      bottom: Math.min(top + TILE, this.height),
    };
  }

  /** Call `row(y, from, to)` for every run of marked pixels, tile by tile. */
  eachSpan(row) {
    this.tiles.forEach((tile, index) => {
      if (!tile) return;
      const { left, top, right, bottom } = this.rectOf(index);
      for (let y = top; y < bottom; y++) {
        const offset = (y - top) * TILE;
        for (let x = 0; x < right - left; x++) {
          if (!tile.pixels[offset + x]) continue;
          const from = x;
          while (x < right - left && tile.pixels[offset + x]) x++;
          row(y, left + from, left + x);
        }
      }
    });
  }

  isEmpty() {
    return this.tiles.every((tile) => tile === null || tile.isEmpty());
  }

  /** How many pixels are marked. */
  count() {
    let sum = 0;
    for (const tile of this.tiles) if (tile) for (let i = 0; i < PIXELS; i++) sum += tile.pixels[i];
    return sum;
  }

  /** @param {number} x @param {number} y @returns {0 | 1} */
  at(x, y) {
    const tile = this.tiles[(y >> 8) * this.columns + (x >> 8)];
    return tile ? /** @type {0 | 1} */ (tile.pixels[((y & 255) << 8) + (x & 255)]) : 0;
  }

  /** Everything that is marked, as the difference from an empty mask. @returns {Difference} */
  snapshot() {
    const all = [];
    this.tiles.forEach((tile, index) => {
      if (tile && !tile.isEmpty()) all.push({ index, runs: flipped(null, tile.pixels) });
    });
    return all;
  }

  /** Unmark what a snapshot marks, inside an open change. @param {Difference} marks */
  unmark(marks) {
    this.#setRuns(marks, 0);
  }

  /** Mark what a snapshot marks, inside an open change. @param {Difference} marks */
  mark(marks) {
    this.#setRuns(marks, 1);
  }

  #setRuns(marks, value) {
    for (const { index, runs } of marks) {
      const { left, top } = this.rectOf(index);
      eachRun(runs, (from, to) => {
        for (let at = from; at < to; ) {
          const end = Math.min(to, (at | 255) + 1);
          this.fill(top + (at >> 8), left + (at & 255), left + (at & 255) + end - at, value);
          at = end;
        }
      });
      this.refresh(this.rectOf(index));
    }
  }
}

const CELL = 64; // 1 << 6, and so many times a tile's side

/**
 * Where most of a difference lies: the rectangle round its marks in the fullest tile, or, where they are
 * thin and far apart, the fullest cell of that.
 * @param {Difference} marks @param {Mask} mask @returns {Rect}
 */
export function mostOf(marks, mask) {
  const countOf = ({ runs }) => runs.reduce((sum, length, i) => sum + (i & 1 ? length : 0), 0);
  const { index, runs } = marks.reduce((one, two) => (countOf(two) > countOf(one) ? two : one));
  const { left, top } = mask.rectOf(index);
  const cells = new Uint32Array((TILE / CELL) ** 2);
  const bounds = { left: TILE, top: TILE, right: 0, bottom: 0 };
  let count = 0;
  eachRun(runs, (from, to) => {
    for (let at = from; at < to; at++) {
      const x = at & 255;
      const y = at >> 8;
      bounds.left = Math.min(bounds.left, x);
      bounds.top = Math.min(bounds.top, y);
      bounds.right = Math.max(bounds.right, x + 1);
      bounds.bottom = Math.max(bounds.bottom, y + 1);
      cells[Math.floor(y / CELL) * (TILE / CELL) + Math.floor(x / CELL)]++;
      count++;
    }
  });
  if (count < 0.3 * (bounds.right - bounds.left) * (bounds.bottom - bounds.top)) {
    const cell = cells.indexOf(Math.max(...cells));
    bounds.left = (cell % (TILE / CELL)) * CELL;
    bounds.top = Math.floor(cell / (TILE / CELL)) * CELL;
    bounds.right = bounds.left + CELL;
    bounds.bottom = bounds.top + CELL;
  }
  return { left: left + bounds.left, top: top + bounds.top, right: left + bounds.right, bottom: top + bounds.bottom };
}

/**
 * Where differences are, in cells that are small enough that what lies between specks is left out.
 * @param {Difference[]} differences @param {Mask} mask @returns {Rect[]}
 */
export function cellsOf(differences, mask) {
  const columns = Math.ceil(mask.width / CELL);
  const touched = new Set();
  for (const { index, runs } of differences.flat()) {
    const { left, top } = mask.rectOf(index);
    eachRun(runs, (from, to) => {
      for (let at = from; at < to; at = (at | (CELL - 1)) + 1)
        touched.add(((top + (at >> 8)) >> 6) * columns + ((left + (at & 255)) >> 6));
    });
  }
  return [...touched].map((cell) => {
    const left = (cell % columns) * CELL;
    const top = Math.floor(cell / columns) * CELL;
    return { left, top, right: Math.min(left + CELL, mask.width), bottom: Math.min(top + CELL, mask.height) };
  });
}

/** Runs that differ between two tiles, as lengths: same, flipped, same, flipped … */
function flipped(before, after) {
  if (!before && !after) return new Uint16Array(0);
  const one = before ? new Uint32Array(before.buffer, before.byteOffset, PIXELS / 4) : null;
  const two = after ? new Uint32Array(after.buffer, after.byteOffset, PIXELS / 4) : null;
  const lengths = [];
  let current = 0;
  let length = 0;
  const end = () => {
    // A whole tile is one pixel longer than 16 bits count: split by a run of nothing.
    if (length > 65535) {
      lengths.push(65535, 0);
      length -= 65535;
    }
    lengths.push(length);
    current ^= 1;
    length = 0;
  };
  for (let word = 0; word < PIXELS / 4; word++) {
    const differs = (one ? one[word] : 0) ^ (two ? two[word] : 0);
    if (differs === (current ? 0x01010101 : 0)) {
      length += 4;
      continue;
    }
    for (let byte = 0; byte < 4; byte++) {
      if (((differs >>> (8 * byte)) & 1) !== current) end();
      length++;
    }
  }
  if (current) end();
  return new Uint16Array(lengths);
}

function eachRun(runs, run) {
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    if (i & 1 && runs[i]) run(at, at + runs[i]);
    at += runs[i];
  }
}
