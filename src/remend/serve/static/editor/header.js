// How large a picture is, and whether it has pages, from the first bytes of its file: what is over the server's limits is told before
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

/** Whether a file may hold several pages or frames. @param {Blob} file @returns {Promise<boolean>} */
export async function mayHavePages(file) {
  const view = new DataView(await file.slice(0, HEAD).arrayBuffer());
  try {
    const signature = view.getUint32(0);
    if (signature === 0x47494638) return true; // a GIF tells its frames nowhere
    if (signature === 0x89504e47) return isAnimated(view);
    if (signature === 0x52494646) return view.getUint32(12) === 0x56503858 && (view.getUint8(20) & 2) > 0;
    if ([0x49492b00, 0x4d4d002b].includes(signature)) return true; // BigTIFF
    if (![0x49492a00, 0x4d4d002a].includes(signature)) return false;
    const isLittle = signature === 0x49492a00;
    const first = view.getUint32(4, isLittle);
    const count = new DataView(await file.slice(first, first + 2).arrayBuffer()).getUint16(0, isLittle);
    const end = first + 2 + 12 * count;
    return new DataView(await file.slice(end, end + 4).arrayBuffer()).getUint32(0, isLittle) > 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}

/** An APNG says so before its first picture. */
function isAnimated(view) {
  for (let at = 8; ; at += 12 + view.getUint32(at)) {
    const kind = view.getUint32(at + 4);
    if (kind === 0x6163544c) return true; // acTL
    if (kind === 0x49444154) return false; // IDAT
  }
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
