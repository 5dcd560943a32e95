// How large a picture is, from the first bytes of its file: what is over the server's limits is told before
// anything is decoded. Formats that are not known here are left to the server, which tells as quickly.

const HEAD = 1 << 18; // bytes: EXIF and profiles of a JPEG lie before its size

/** @param {Blob} file @returns {Promise<{width: number, height: number} | null>} null: not known here */
export async function sizeInHeader(file) {
  const view = new DataView(await file.slice(0, HEAD).arrayBuffer());
  try {
    const signature = view.getUint32(0);
    if (signature === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (signature >>> 8 === 0xffd8ff) return ofJpeg(view);
    if (signature === 0x47494638) return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    if (signature === 0x52494646 && view.getUint32(8) === 0x57454250) return ofWebp(view);
    if (signature >>> 16 === 0x424d) return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // cut short within its header
  }
  return null;
}

function ofJpeg(view) {
  for (let at = 2; ; ) {
    const marker = view.getUint16(at);
    if (marker >>> 8 !== 0xff) return null;
    const kind = marker & 0xff;
    const isFrame = kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind);
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += kind === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
}

function ofWebp(view) {
  const kind = view.getUint32(12);
  const tripled = (at) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  if (kind === 0x56503858) return { width: tripled(24) + 1, height: tripled(27) + 1 }; // VP8X
  if (kind === 0x56503820) return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (kind !== 0x5650384c) return null; // VP8L
  const bits = view.getUint32(21, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}
