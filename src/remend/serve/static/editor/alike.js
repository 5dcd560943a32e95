// Whether two answers look the same: one that does is no further answer.

const PLACES = 4; // looked at: tiles of the mask, spread over what was filled
const LEAST = 1.5; // levels of 255 that two must differ by where they filled

/**
 * @param {import("./work.js").Answer} one @param {import("./work.js").Answer} two
 * @param {import("./mask.js").Rect[]} rects where they filled
 */
export async function lookAlike(one, two, rects) {
  if (!one.patch || !two.patch) return sameBytes(one.file ?? one.patch, two.file ?? two.patch);
  const every = Math.ceil(rects.length / PLACES);
  const places = rects.filter((_, n) => n % every === 0);
  // One after the other: whole patches are in memory while they are looked at.
  const [first, second] = [await pixelsOf(one.patch, places), await pixelsOf(two.patch, places)];
  let sum = 0;
  let count = 0;
  for (const [n, a] of first.entries()) {
    const b = second[n];
    for (let at = 0; at < a.length; at += 4) {
      if (!a[at + 3] && !b[at + 3]) continue;
      count++;
      for (let c = 0; c < 3; c++) sum += Math.abs(a[at + c] - b[at + c]);
    }
  }
  return sum < LEAST * 3 * count || count === 0;
}

/** What a patch shows in some places. @returns {Promise<Uint8ClampedArray[]>} */
async function pixelsOf(patch, rects) {
  const bitmap = await createImageBitmap(patch);
  const pixels = rects.map(({ left, top, right, bottom }) => {
    const context = new OffscreenCanvas(right - left, bottom - top).getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, -left, -top);
    return context.getImageData(0, 0, right - left, bottom - top).data;
  });
  bitmap.close();
  return pixels;
}

async function sameBytes(one, two) {
  if (one.size !== two.size) return false;
  const [a, b] = await Promise.all([one.arrayBuffer(), two.arrayBuffer()]);
  const x = new Uint8Array(a);
  const y = new Uint8Array(b);
  return x.every((value, i) => value === y[i]);
}
