// Files in and out: what can be opened, how it is shown, how it is given back.

import { Problem, repair } from "./server.js";

const SUFFIXES = /\.(jpe?g|png|webp|tiff?|bmp|gif|avif|hei[cf]|jfif)$/i;

export const looksLikePicture = (file) => file.type.startsWith("image/") || SUFFIXES.test(file.name);

/** A black mask of 8 × 8 is enough to say "repair nothing" when it may be resized. */
async function nothing() {
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext("2d");
  context.fillRect(0, 0, 8, 8);
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * A file as the browser can show it. What it cannot decode (TIFF, HEIF, CMYK …) the server turns into a PNG.
 * @param {File | Blob} file
 * @returns {Promise<{bitmap: ImageBitmap, preview: Blob | null}>}
 */
export async function decode(file) {
  try {
    return { bitmap: await createImageBitmap(file), preview: null };
  } catch {
    const response = await repair({ image: file, mask: await nothing(), resize_mask: true, format: "png" });
    const preview = await response.blob();
    return { bitmap: await createImageBitmap(preview), preview };
  }
}

/** A small picture for strips. @param {CanvasImageSource & {width: number, height: number}} source */
export async function thumbnail(source, rect = { left: 0, top: 0, right: source.width, bottom: source.height }, most = 184) {
  const width = rect.right - rect.left;
  const height = rect.bottom - rect.top;
  const scale = Math.min(1, most / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "medium";
  context.drawImage(source, rect.left, rect.top, width, height, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/webp", quality: 0.85 });
}

/**
 * The repaired file: the server writes what was filled into the file as it came. Its format, metadata and
 * every pixel outside stay.
 * @param {import("./work.js").Work} work with an answer
 * @returns {Promise<{name: string, blob: Blob}>}
 */
export async function finished(work) {
  const { file } = work.record;
  const { answer } = work;
  const dot = file.name.lastIndexOf(".");
  const name = dot > 0 ? `${file.name.slice(0, dot)}.repaired${file.name.slice(dot)}` : `${file.name}.repaired`;
  if (answer.file) return { name, blob: answer.file };
  const response = await repair({ image: file, kept: answer.patch, mask: await nothing(), resize_mask: true });
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
 * A mask picture into the open change of a mask: white, with its soft edges, marks what to repair. Of two dark
 * levels, 0 and 1 say, the upper one does.
 * @param {Blob} file @param {import("./mask.js").Mask} mask
 */
export async function readMask(file, mask) {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch(() => {
    throw new Problem({
      detail: `${file.name} cannot be read as a picture`,
      remedy: "give the mask as PNG, white where to repair",
    });
  });
  if (bitmap.width !== mask.width || bitmap.height !== mask.height) {
    throw new Problem({
      detail: `the mask is ${bitmap.width}×${bitmap.height} and the picture ${mask.width}×${mask.height}`,
      remedy: "give a mask of the picture's size",
    });
  }
  // In strips: a whole mask as colour would be four bytes a pixel.
  const rows = Math.max(1, Math.floor(4_000_000 / mask.width));
  const canvas = new OffscreenCanvas(mask.width, Math.min(rows, mask.height));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const strip = (top) => {
    const height = Math.min(rows, mask.height - top);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, -top);
    return { data: context.getImageData(0, 0, mask.width, height).data, height };
  };
  const seen = new Uint8Array(256);
  for (let top = 0; top < mask.height; top += rows) {
    const { data } = strip(top);
    for (let at = 0; at < data.length; at += 4) seen[Math.max(data[at], data[at + 1], data[at + 2])] = 1;
  }
  const largest = seen.lastIndexOf(1);
  if (largest > 0 && largest < 128 && seen.indexOf(1, 1) !== largest) {
    throw new Problem({
      detail: `the mask's largest value is ${largest} of 255, so nothing in it is white`,
      remedy: "give it with 255 where to repair and 0 elsewhere",
    });
  }
  // Lossy formats leave faint rings around what is white.
  const least = largest < 128 ? Math.max(1, largest) : /jpe?g|webp|avif|hei[cf]/.test(file.type) ? 32 : 1;
  return (fill) => {
    for (let top = 0; top < mask.height; top += rows) {
      const { data, height } = strip(top);
      for (let y = 0; y < height; y++) {
        let from = -1;
        for (let x = 0; x <= mask.width; x++) {
          const at = 4 * (y * mask.width + x);
          const white = x < mask.width && Math.max(data[at], data[at + 1], data[at + 2]) >= least;
          if (white && from < 0) from = x;
          if (!white && from >= 0) {
            fill(top + y, from, x, 1);
            from = -1;
          }
        }
      }
    }
    bitmap.close();
  };
}

/** All files of what was dropped, folders included. @param {DataTransfer} transfer */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const files = [];
  const walk = async (entry) => {
    if (entry.isFile) {
      files.push(await new Promise((done, failed) => entry.file(done, failed)));
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
