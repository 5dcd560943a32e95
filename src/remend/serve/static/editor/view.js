// Where the picture lies on the screen. `scale` is device pixels a picture pixel; `x`, `y` is the device
// pixel of the picture's corner. All functions are pure: a view goes in, a view comes out.

/** @typedef {{scale: number, x: number, y: number}} View */
/** @typedef {{width: number, height: number}} Size */

const MOST = 48; // device pixels a picture pixel

/**
 * The whole picture, in the middle; small ones are not blown up beyond twice.
 * @param {Size} picture @param {Size} screen
 * @param {{side: number, top: number, bottom: number}} free device pixels kept free round it
 * @returns {View}
 */
export function fitted(picture, screen, free = { side: 0, top: 0, bottom: 0 }) {
  const width = Math.max(1, screen.width - 2 * free.side);
  const height = Math.max(1, screen.height - free.top - free.bottom);
  const most = 2 * (globalThis.devicePixelRatio || 1);
  const scale = Math.min(width / picture.width, height / picture.height, most);
  return {
    scale,
    x: free.side + (width - picture.width * scale) / 2,
    y: free.top + (height - picture.height * scale) / 2,
  };
}

/** A point of the picture in the middle of the screen. @returns {View} */
export function centred(scale, point, screen) {
  return { scale, x: screen.width / 2 - point.x * scale, y: screen.height / 2 - point.y * scale };
}

/** Zoom so that what lies under (x, y) stays there. @returns {View} */
export function zoomed(view, factor, x, y, picture, screen) {
  const least = Math.min(1, fitted(picture, screen).scale) / 4;
  const scale = Math.min(MOST, Math.max(least, view.scale * factor));
  const by = scale / view.scale;
  return held({ scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by }, picture, screen);
}

/** @returns {View} */
export function moved(view, dx, dy, picture, screen) {
  return held({ ...view, x: view.x + dx, y: view.y + dy }, picture, screen);
}

/** A strip of the picture always stays on the screen: nobody loses it. @returns {View} */
export function held(view, picture, screen) {
  const keep = 64;
  const clamp = (value, low, high) => Math.min(Math.max(value, Math.min(low, high)), Math.max(low, high));
  return {
    scale: view.scale,
    x: clamp(view.x, keep - picture.width * view.scale, screen.width - keep),
    y: clamp(view.y, keep - picture.height * view.scale, screen.height - keep),
  };
}

/** From the screen to the picture. */
export function toPicture(view, x, y) {
  return { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale };
}

/** The level of a pyramid to draw from: the smallest copy that is not smaller than the screen wants. */
export function levelFor(scale, levels) {
  const level = Math.floor(Math.log2(1 / Math.min(1, scale)) + 1e-6);
  return Math.max(0, Math.min(levels - 1, level));
}
