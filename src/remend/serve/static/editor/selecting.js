// Forgiving marks: a click, a loop or a stroke becomes the object that it means, and what a hasty mask has left
// of its object is taken along. The server looks at what is on the screen, no larger, so that it answers at once.

import { maskPng } from "./bytes.js";
import { Mask } from "./mask.js";
import { markedIn } from "./pictures.js";
import { effectiveMask } from "./server.js";

const MOST_PX = 640; // longest side of what is sent of a picture to select in
const MOST_LEFT_PX = 2_000_000; // what was left is looked for in full size, in so many pixels at the most
const AROUND = 48; // pixels seen round a mask at the least

/**
 * What a mark means.
 * @param {import("./pyramid.js").Pyramid} picture @param {import("./mask.js").Difference} marks
 * @param {import("./mask.js").Mask} mask of the picture @param {number} scale of the screen: nothing finer is seen
 * @param {AbortSignal} [signal]
 * @returns {Promise<(row: (y: number, from: number, to: number) => void) => void>} calls `row` with each run
 */
export async function objectUnder(picture, marks, mask, scale, signal) {
  const bounds = boundsOf(marks, mask);
  const side = Math.max(bounds.right - bounds.left, bounds.bottom - bounds.top);
  // A click or a stroke may mean a thing of any size.
  const around = Math.max(AROUND / scale, 0.8 * side, 0.5 * Math.min(picture.width, picture.height));
  const crop = grown(bounds, around, picture);
  const share = Math.min(1, scale, MOST_PX / Math.max(crop.right - crop.left, crop.bottom - crop.top));
  return asked(picture, marks, mask, crop, share, "object", signal);
}

/** What a mask has left of the thing that it was painted over, thin rims and whole parts. */
export async function leftBy(picture, mask, signal) {
  const marks = mask.snapshot();
  const bounds = boundsOf(marks, mask);
  const narrow = Math.min(bounds.right - bounds.left, bounds.bottom - bounds.top);
  const crop = grown(bounds, Math.max(AROUND, 0.8 * narrow), picture);
  const share = Math.min(1, Math.sqrt(MOST_LEFT_PX / ((crop.right - crop.left) * (crop.bottom - crop.top))));
  return asked(picture, marks, mask, crop, share, "whole", signal);
}

async function asked(picture, marks, mask, crop, share, snap, signal) {
  const width = Math.max(1, Math.round((crop.right - crop.left) * share));
  const height = Math.max(1, Math.round((crop.bottom - crop.top) * share));
  const canvas = new OffscreenCanvas(width, height);
  const view = { scale: share, x: -crop.left * share, y: -crop.top * share };
  picture.draw(canvas.getContext("2d"), view, { left: 0, top: 0, right: width, bottom: height });
  const shrunk = new Mask(width, height);
  shrunk.begin();
  copyOf(mask, marks).eachSpan((y, from, to) => {
    const row = Math.floor((y - crop.top) * share);
    shrunk.fill(row, Math.floor((from - crop.left) * share), Math.max(Math.ceil((to - crop.left) * share), 1), 1);
  });
  shrunk.refresh({ left: 0, top: 0, right: width, bottom: height });
  shrunk.commit();
  const response = await effectiveMask(
    {
      image: await canvas.convertToBlob({ type: "image/png" }),
      mask: await maskPng(width, height, (row) => shrunk.eachSpan(row)),
      snap,
      yes: true,
    },
    signal,
  );
  const eachRun = await markedIn(response);
  return (row) =>
    eachRun((y, from, to) => {
      const left = Math.round(crop.left + from / share);
      const right = Math.round(crop.left + to / share);
      const end = Math.round(crop.top + (y + 1) / share);
      for (let line = Math.round(crop.top + y / share); line < end; line++) row(line, left, right);
    });
}

/** What a mask marks when it is grown, or what it marks no more when it is shrunk. @param {Mask} mask @param {number} by */
export function eachResized(mask, by, row) {
  const before = copyOf(mask, mask.snapshot());
  const most = Math.abs(Math.round(by));
  const around = (y, from, to) => {
    for (let dy = -most; dy <= most; dy++) {
      const half = Math.floor(Math.sqrt(most * most - dy * dy));
      row(y + dy, from - half, to + half);
    }
  };
  if (by > 0) {
    before.eachSpan(around);
    return;
  }
  const { left, top, right, bottom } = grown(boundsOf(mask.snapshot(), mask), 1, mask);
  for (let y = top; y < bottom; y++) before.eachGap(y, left, right, (from, to) => around(y, from, to));
}

function copyOf(mask, marks) {
  const copy = new Mask(mask.width, mask.height);
  copy.begin();
  copy.mark(marks);
  copy.commit();
  return copy;
}

function boundsOf(marks, mask) {
  const bounds = { left: mask.width, top: mask.height, right: 0, bottom: 0 };
  copyOf(mask, marks).eachSpan((y, from, to) => {
    bounds.left = Math.min(bounds.left, from);
    bounds.right = Math.max(bounds.right, to);
    bounds.top = Math.min(bounds.top, y);
    bounds.bottom = Math.max(bounds.bottom, y + 1);
  });
  return bounds;
}

const grown = ({ left, top, right, bottom }, by, { width, height }) => ({
  left: Math.max(0, Math.floor(left - by)),
  top: Math.max(0, Math.floor(top - by)),
  right: Math.min(width, Math.ceil(right + by)),
  bottom: Math.min(height, Math.ceil(bottom + by)),
});
