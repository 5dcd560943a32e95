// Shapes as rows of pixels. A shape calls `span(y, from, to)` for every row it covers: pixels from..to-1.
// A pixel is covered when its centre lies inside, so the same stroke marks the same pixels at every zoom.

/** Half a pixel's diagonal: a one-pixel brush must never fall between two centres. */
const SMALLEST_RADIUS = Math.SQRT1_2;

/**
 * The line from a to b, drawn with a round brush: one piece of a stroke.
 * @param {{x: number, y: number}} a @param {{x: number, y: number}} b in picture pixels
 * @param {number} radius in picture pixels
 * @param {number} height rows of the picture; rows outside are left out
 * @param {(y: number, from: number, to: number) => void} span
 */
export function capsule(a, b, radius, height, span) {
  const r = Math.max(radius, SMALLEST_RADIUS);
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  const nx = length ? (-(b.y - a.y) / length) * r : 0;
  const ny = length ? ((b.x - a.x) / length) * r : 0;
  const corners = [
    [a.x + nx, a.y + ny],
    [b.x + nx, b.y + ny],
    [b.x - nx, b.y - ny],
    [a.x - nx, a.y - ny],
  ];
  const top = Math.max(0, Math.ceil(Math.min(a.y, b.y) - r - 0.5));
  const bottom = Math.min(height - 1, Math.floor(Math.max(a.y, b.y) + r - 0.5));
  for (let y = top; y <= bottom; y++) {
    const centre = y + 0.5;
    let left = Infinity;
    let right = -Infinity;
    // A capsule is convex, so each row of it is one interval: the hull of what its parts cover.
    for (const end of [a, b]) {
      const d = centre - end.y;
      if (d * d <= r * r) {
        const half = Math.sqrt(r * r - d * d);
        left = Math.min(left, end.x - half);
        right = Math.max(right, end.x + half);
      }
    }
    if (length) {
      for (let i = 0; i < 4; i++) {
        const [px, py] = corners[i];
        const [qx, qy] = corners[(i + 1) & 3];
        if (py === qy || centre < Math.min(py, qy) || centre > Math.max(py, qy)) continue;
        const x = px + ((centre - py) / (qy - py)) * (qx - px);
        left = Math.min(left, x);
        right = Math.max(right, x);
      }
    }
    const from = Math.ceil(left - 0.5);
    const to = Math.floor(right - 0.5) + 1;
    if (to > from) span(y, from, to);
  }
}

/**
 * The inside of a closed outline, by the non-zero rule: a lasso that crosses itself has no holes.
 * @param {{x: number, y: number}[]} points @param {number} height
 * @param {(y: number, from: number, to: number) => void} span
 */
export function polygon(points, height, span) {
  if (points.length < 3) return;
  let lowest = Infinity;
  let highest = -Infinity;
  for (const p of points) {
    lowest = Math.min(lowest, p.y);
    highest = Math.max(highest, p.y);
  }
  const top = Math.max(0, Math.ceil(lowest - 0.5));
  const bottom = Math.min(height - 1, Math.floor(highest - 0.5));
  for (let y = top; y <= bottom; y++) {
    const centre = y + 0.5;
    const crossings = [];
    for (let i = 0; i < points.length; i++) {
      const p = points[i];
      const q = points[(i + 1) % points.length];
      if (p.y <= centre === q.y <= centre) continue;
      crossings.push([p.x + ((centre - p.y) / (q.y - p.y)) * (q.x - p.x), p.y < q.y ? 1 : -1]);
    }
    crossings.sort((one, two) => one[0] - two[0]);
    let winding = 0;
    let start = 0;
    for (const [x, turn] of crossings) {
      if (winding === 0) start = x;
      winding += turn;
      if (winding === 0) {
        const from = Math.ceil(start - 0.5);
        const to = Math.floor(x - 0.5) + 1;
        if (to > from) span(y, from, to);
      }
    }
  }
}

/**
 * An upright box between two corners, in whole pixels.
 * @param {{x: number, y: number}} a @param {{x: number, y: number}} b @param {number} height
 * @param {(y: number, from: number, to: number) => void} span
 */
export function box(a, b, height, span) {
  const from = Math.floor(Math.min(a.x, b.x));
  const to = Math.ceil(Math.max(a.x, b.x));
  const top = Math.max(0, Math.floor(Math.min(a.y, b.y)));
  const bottom = Math.min(height, Math.ceil(Math.max(a.y, b.y)));
  if (to > from) for (let y = top; y < bottom; y++) span(y, from, to);
}
