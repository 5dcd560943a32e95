// A 360° panorama as seen from its middle: directions and pixels, and a brush that is round on the sphere.
// By the processor alone: a machine without a graphics card shows the same.

/** @typedef {{yaw: number, pitch: number, field: number}} Gaze radians; yaw 0 = the picture's middle, pitch up;
 *   field: across the screen */
/** @typedef {{width: number, height: number}} Size */

const TURN = 2 * Math.PI;

/** Where the ray through a pixel of the screen meets a panorama of a size. @returns {{x: number, y: number}} */
export function seenAt(px, py, gaze, screen, picture) {
  const [x, y, z] = ray(px - screen.width / 2, py - screen.height / 2, gaze, screen);
  return {
    x: (Math.atan2(x, z) / TURN + 0.5) * picture.width,
    y: (0.5 - Math.asin(Math.max(-1, Math.min(1, y))) / Math.PI) * picture.height,
  };
}

const focal = (gaze, screen) => screen.width / 2 / Math.tan(gaze.field / 2);

function ray(right, below, gaze, screen) {
  const far = focal(gaze, screen);
  const length = Math.hypot(right, below, far);
  const up = -below / length;
  const ahead = far / length;
  const y = up * Math.cos(gaze.pitch) + ahead * Math.sin(gaze.pitch);
  const out = ahead * Math.cos(gaze.pitch) - up * Math.sin(gaze.pitch);
  const side = right / length;
  return [side * Math.cos(gaze.yaw) + out * Math.sin(gaze.yaw), y, out * Math.cos(gaze.yaw) - side * Math.sin(gaze.yaw)];
}

/**
 * Draw what is seen.
 * @param {ImageData} image filled @param {Gaze} gaze
 * @param {{width: number, height: number, pixels: Uint32Array}} source the panorama, smaller maybe
 * @param {(x: number, y: number) => boolean} isMarked whether a place of the source is tinted
 * @param {number} tint 0xBBGGRR
 */
export function look(image, gaze, source, isMarked, tint) {
  const { width, height } = image;
  const out = new Uint32Array(image.data.buffer);
  const far = focal(gaze, image);
  const [sinPitch, cosPitch] = [Math.sin(gaze.pitch), Math.cos(gaze.pitch)];
  for (let row = 0, at = 0; row < height; row++) {
    const up = height / 2 - row - 0.5;
    // Yaw turns the whole picture: it is an offset of columns, and no ray needs it.
    const high = up * cosPitch + far * sinPitch;
    const forth = far * cosPitch - up * sinPitch;
    for (let column = 0; column < width; column++, at++) {
      const side = column + 0.5 - width / 2;
      let u = (Math.atan2(side, forth) + gaze.yaw) / TURN + 0.5;
      u -= Math.floor(u);
      const v = 0.5 - Math.atan2(high, Math.hypot(side, forth)) / Math.PI;
      const x = Math.min(source.width - 1, (u * source.width) | 0);
      const y = Math.min(source.height - 1, (v * source.height) | 0);
      const seen = source.pixels[y * source.width + x];
      out[at] = isMarked(x, y) ? mixed(seen, tint) : seen;
    }
  }
}

const mixed = (one, two) => ((((one & 0xfefefe) >>> 1) + ((two & 0xfefefe) >>> 1)) | 0xff000000) >>> 0;

/** How far a span of the screen reaches on the sphere, in the middle. @returns {number} radians */
export const angleOf = (span, gaze, screen) => Math.atan(span / focal(gaze, screen));

/**
 * A disc on the sphere: a row of pixels may be covered over the seam, or all round at a pole.
 * @param {{x: number, y: number}} centre in picture pixels @param {number} radius radians @param {Size} picture
 * @param {(y: number, from: number, to: number) => void} span
 */
export function cap(centre, radius, { width, height }, span) {
  const latitude = (0.5 - centre.y / height) * Math.PI;
  const cosine = Math.cos(radius);
  const first = Math.max(0, Math.floor(height * (0.5 - (latitude + radius) / Math.PI)));
  const last = Math.min(height - 1, Math.ceil(height * (0.5 - (latitude - radius) / Math.PI)));
  for (let y = first; y <= last; y++) {
    const here = (0.5 - (y + 0.5) / height) * Math.PI;
    const reach = (cosine - Math.sin(here) * Math.sin(latitude)) / (Math.cos(here) * Math.cos(latitude));
    if (reach >= 1) continue;
    const half = reach <= -1 ? width / 2 : (Math.acos(reach) / TURN) * width;
    const from = Math.round(centre.x - half);
    const to = Math.round(centre.x + half);
    if (to - from >= width) span(y, 0, width);
    else {
      span(y, Math.max(0, from), Math.min(width, to));
      if (from < 0) span(y, from + width, width);
      if (to > width) span(y, 0, to - width);
    }
  }
}

/** Points from one to another along the sphere, close enough for discs of a radius to make a line. */
export function* between(one, two, radius, picture) {
  const [a, b] = [one, two].map(({ x, y }) => direction((x / picture.width - 0.5) * TURN, (0.5 - y / picture.height) * Math.PI));
  const angle = Math.acos(Math.max(-1, Math.min(1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])));
  const steps = Math.max(1, Math.ceil((2 * angle) / radius));
  for (let n = 1; n <= steps; n++) {
    // Of two opposite points no one way is the shortest; a pointer never jumps so far.
    const share = angle < 1e-6 ? 1 : Math.sin((n / steps) * angle) / Math.sin(angle);
    const rest = angle < 1e-6 ? 0 : Math.sin((1 - n / steps) * angle) / Math.sin(angle);
    const [x, y, z] = [0, 1, 2].map((i) => rest * a[i] + share * b[i]);
    const height = Math.asin(Math.max(-1, Math.min(1, y)));
    yield { x: (Math.atan2(x, z) / TURN + 0.5) * picture.width, y: (0.5 - height / Math.PI) * picture.height };
  }
}

const direction = (longitude, latitude) => [
  Math.cos(latitude) * Math.sin(longitude),
  Math.sin(latitude),
  Math.cos(latitude) * Math.cos(longitude),
];
