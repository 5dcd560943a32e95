// Files in and out: what can be opened, how it is shown, how it is given back.

import { sizeInHeader } from "./header.js";
import { Problem, methods, repair, view } from "./server.js";
import { tr } from "./words.js";

const SUFFIXES = /\.(jpe?g|png|webp|tiff?|bmp|gif|avif|hei[cf]|jfif)$/i;

export const looksLikePicture = (file) => file.type.startsWith("image/") || SUFFIXES.test(file.name);

/** A black mask of 8 × 8 is enough to say "repair nothing" when it may be resized. */
async function nothing() {
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext("2d");
  context.fillRect(0, 0, 8, 8);
  return canvas.convertToBlob({ type: "image/png" });
}

/** What the server is sent of a picture. @param {{file: Blob, tolerate?: boolean}} record */
export const sourceOf = ({ file, tolerate }) => ({ image: file, tolerate: tolerate || null });

/**
 * A file as the browser can show it. What it cannot decode (TIFF, HEIF, CMYK, truncated …) the server turns
 * into a PNG.
 * @param {{file: Blob, tolerate?: boolean}} record tolerate: show as much of a truncated file as there is
 * @returns {Promise<{bitmap: ImageBitmap, preview: Blob | null}>}
 */
export async function decode(record) {
  try {
    return { bitmap: await createImageBitmap(record.file), preview: null };
  } catch {
    const preview = await (await view(sourceOf(record))).blob();
    return { bitmap: await createImageBitmap(preview), preview };
  }
}

/**
 * Refuse what the server would refuse later, before it is decoded.
 * @param {File} file
 */
export async function checkLimits(file) {
  const offered = await methods().catch(() => null);
  if (!offered) return; // without the server a picture can still be looked at and marked
  const { max_pixels: mostPixels, max_bytes: mostBytes } = offered.limits;
  if (file.size > mostBytes)
    throw new Problem({
      kind: "too-many-bytes",
      detail: tr`${file.name} has ${Math.round(file.size / 1e6)} MB, and this server takes ${Math.round(mostBytes / 1e6)}`,
      remedy: tr("save it smaller, or have the server started with more --max-bytes"),
    });
  const size = await sizeInHeader(file);
  if (size && size.width * size.height > mostPixels)
    throw new Problem({
      kind: "too-many-pixels",
      detail: tr`${file.name} has ${Math.round((size.width * size.height) / 1e6)} megapixels, and this server takes ${Math.round(mostPixels / 1e6)}`,
      remedy: tr("save it smaller, or have the server started with more --max-pixels"),
    });
}

/** A small picture for strips. @param {ImageBitmap} source */
export async function thumbnail(source, most = 184) {
  const scale = Math.min(1, most / Math.max(source.width, source.height));
  let { width, height } = source;
  let small = source;
  // By halves: better smoothing in one step, and Chromium keeps halves and quarters of what it drew from.
  do {
    width = Math.max(Math.round(width / 2), Math.round(source.width * scale), 1);
    height = Math.max(Math.round(height / 2), Math.round(source.height * scale), 1);
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "low";
    context.drawImage(small, 0, 0, width, height);
    if (small !== source) small.width = small.height = 0; // its memory at once, not when it is swept up
    small = canvas;
  } while (Math.max(width, height) > most);
  return small.convertToBlob({ type: "image/webp", quality: 0.85 });
}

/**
 * The repaired file: the server writes what was filled into the file as it came. Its format, metadata and
 * every pixel outside stay.
 * @param {import("./work.js").Work} work without an answer that counts its file is given back as it is
 * @param {string | null} [format] another one than the file's own
 * @returns {Promise<{name: string, blob: Blob}>}
 */
export async function finished(work, format = null) {
  const { answer, record } = work;
  const { file } = record;
  if ((!answer && !format) || record.state === "rejected") return { name: file.name, blob: file };
  const dot = file.name.lastIndexOf(".");
  const name = dot > 0 ? `${file.name.slice(0, dot)}.repaired${file.name.slice(dot)}` : `${file.name}.repaired`;
  if (answer?.file && !format) return { name, blob: answer.file };
  const source = answer?.file ? { image: answer.file } : { ...sourceOf(record), kept: answer?.patch ?? null };
  const response = await repair({ ...source, mask: await nothing(), resize_mask: true, format });
  return { name, blob: await response.blob() };
}

/** @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * What a mask marks. The server reads it, as it would for a repair.
 * @param {Response} response of `effectiveMask`
 * @returns {Promise<(row: (y: number, from: number, to: number) => void) => void>} calls `row` with each run
 */
export async function markedIn(response) {
  const bitmap = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  // In strips: a whole mask as colour would be four bytes a pixel.
  const rows = Math.max(1, Math.floor(4_000_000 / width));
  const canvas = new OffscreenCanvas(width, Math.min(rows, height));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (row) => {
    for (let top = 0; top < height; top += rows) {
      context.drawImage(bitmap, 0, -top);
      const { data } = context.getImageData(0, 0, width, Math.min(rows, height - top));
      for (let at = 0, y = top; at < data.length; y++) {
        let from = -1;
        for (let x = 0; x <= width; x++) {
          const isMarked = x < width && data[at + 4 * x] > 0;
          if (isMarked && from < 0) from = x;
          if (!isMarked && from >= 0) {
            row(y, from, x);
            from = -1;
          }
        }
        at += 4 * width;
      }
    }
    bitmap.close();
  };
}

/** Where dropped files lay: browsers tell it of chosen folders only. @type {WeakMap<File, string>} */
const folders = new WeakMap();

/** The folder that a file was opened with, below the one that was chosen; empty: none. @param {File} file */
export const folderOf = (file) => folders.get(file) ?? file.webkitRelativePath?.split("/").slice(0, -1).join("/") ?? "";

/** All files of what was dropped, folders included. @param {DataTransfer} transfer */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const files = [];
  const walk = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      folders.set(file, entry.fullPath.split("/").slice(1, -1).join("/"));
      files.push(file);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return;
      for (const one of some) await walk(one);
    }
  };
  for (const entry of entries) await walk(entry);
  return files;
}
