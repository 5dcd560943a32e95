// Small file formats by hand: two are written because the browser's own encoders would need the mask as a
// full colour picture (96 MB at 24 megapixels), and it has none for ZIP; nor does it read any.

const CRC = new Uint32Array(256).map((_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

/** CRC-32 as PNG and ZIP use it. @param {Uint8Array} bytes */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = CRC[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function chunk(type, data) {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

/**
 * A black-and-white PNG of one bit a pixel, white = repair.
 * @param {number} width @param {number} height
 * @param {(row: (y: number, from: number, to: number) => void) => void} eachSpan the white runs
 */
export async function maskPng(width, height, eachSpan) {
  const stride = 1 + Math.ceil(width / 8); // every row starts with its filter: none
  const rows = new Uint8Array(stride * height);
  eachSpan((y, from, to) => {
    const base = y * stride + 1;
    for (let x = from; x < to; ) {
      if ((x & 7) === 0 && to - x >= 8) {
        rows.fill(255, base + (x >> 3), base + (to >> 3));
        x = (to >> 3) << 3;
      } else {
        rows[base + (x >> 3)] |= 128 >> (x & 7);
        x++;
      }
    }
  });
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 1; // bits a sample; colour type 0 (grey) and the rest are zero
  const signature = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
  const parts = [signature, chunk("IHDR", header), chunk("IDAT", await deflated(rows)), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

/**
 * A ZIP of files as they are: pictures do not get smaller.
 * @param {{name: string, blob: Blob}[]} files below 4 GB together
 */
export async function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, blob } of files) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const title = new TextEncoder().encode(name);
    // Shared by the local header and the directory: version 2.0, names in UTF-8, stored, 1 January 1980.
    const common = new DataView(new ArrayBuffer(26));
    [20, 0x0800, 0, 0, 0x21].forEach((value, i) => common.setUint16(2 * i, value, true));
    [crc32(bytes), bytes.length, bytes.length].forEach((value, i) => common.setUint32(10 + 4 * i, value, true));
    common.setUint16(22, title.length, true);
    const local = [new Uint8Array([80, 75, 3, 4]), new Uint8Array(common.buffer), title];
    const tail = new DataView(new ArrayBuffer(14)); // no comment, disk 0, plain attributes, then where it lies
    tail.setUint32(10, offset, true);
    directory.push(
      new Uint8Array([80, 75, 1, 2, 20, 0]),
      new Uint8Array(common.buffer),
      new Uint8Array(tail.buffer),
      title,
    );
    parts.push(...local, blob);
    offset += 30 + title.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, offset, true);
  return new Blob([...parts, ...directory, new Uint8Array(end.buffer)], { type: "application/zip" });
}

/**
 * The files of a ZIP whose members are stored, as the server packs them, without copying them.
 * @param {Blob} blob @returns {Promise<{name: string, blob: Blob}[]>}
 */
export async function unzip(blob) {
  const files = [];
  for (let at = 0; ; ) {
    const head = new DataView(await blob.slice(at, at + 30).arrayBuffer());
    if (head.byteLength < 30 || head.getUint32(0, true) !== 0x04034b50) return files; // the directory begins
    const size = head.getUint32(18, true);
    const begin = at + 30 + head.getUint16(26, true);
    const name = await blob.slice(at + 30, begin).text();
    at = begin + head.getUint16(28, true) + size;
    files.push({ name, blob: blob.slice(at - size, at) });
  }
}
