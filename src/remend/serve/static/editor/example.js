// A picture to try it on, made here: hills under an evening sky, with scratches, dust and a date.

/** Numbers from 0 to 1, the same every time. */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** @returns {Promise<File>} */
export async function examplePicture() {
  const width = 1200;
  const height = 800;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const random = numbers(7);
  landscape(context, width, height, random);
  grain(context, width, height, random);
  damage(context, width, height, random);
  return new File([await canvas.convertToBlob({ type: "image/png" })], "example.png", { type: "image/png" });
}

function landscape(context, width, height, random) {
  const sky = context.createLinearGradient(0, 0, 0, height * 0.75);
  [
    [0, "#3d5a80"],
    [0.55, "#98a9b8"],
    [0.85, "#e8c9a0"],
    [1, "#f2ddb8"],
  ].forEach(([at, colour]) => sky.addColorStop(at, colour));
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  context.fillStyle = "#fbeecb";
  context.beginPath();
  context.arc(width * 0.7, height * 0.46, 46, 0, 7);
  context.fill();
  ["#8d99a6", "#6b7b83", "#4c5f5e", "#334843", "#22322c"].forEach((colour, n) => {
    const phase = random() * 9;
    const base = height * (0.52 + 0.1 * n);
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(0, height);
    for (let x = 0; x <= width; x += 4) {
      const wave = Math.sin(x / (170 - 18 * n) + phase) * (46 - 4 * n) + Math.sin(x / (47 + 9 * n) + 2 * phase) * 11;
      context.lineTo(x, base + wave);
    }
    context.lineTo(width, height);
    context.fill();
  });
}

function grain(context, width, height, random) {
  const image = context.getImageData(0, 0, width, height);
  for (let i = 0; i < image.data.length; i += 4) {
    const noise = (random() + random() + random() - 1.5) * 14;
    for (let c = 0; c < 3; c++) image.data[i + c] += noise;
  }
  context.putImageData(image, 0, 0);
}

function damage(context, width, height, random) {
  context.lineCap = "round";
  for (let n = 0; n < 7; n++) {
    let x = width * (0.08 + 0.84 * random());
    let y = height * 0.3 * random();
    const lean = (random() - 0.5) * 0.5;
    const end = y + height * (0.3 + 0.4 * random());
    context.strokeStyle = `rgb(255 250 240 / ${0.8 + 0.2 * random()})`;
    context.lineWidth = 1.4 + 1.8 * random();
    context.beginPath();
    context.moveTo(x, y);
    while (y < end) {
      x += 14 * (lean + (random() - 0.5) * 0.25);
      y += 14;
      context.lineTo(x, y);
    }
    context.stroke();
  }
  for (let n = 0; n < 26; n++) {
    context.fillStyle = random() < 0.5 ? "#fffdf6" : "#14110d";
    context.beginPath();
    context.ellipse(width * random(), height * random(), 1.5 + 2.5 * random(), 1.5 + 2 * random(), 3 * random(), 0, 7);
    context.fill();
  }
  context.font = "600 30px 'Liberation Mono', 'DejaVu Sans Mono', monospace";
  context.fillStyle = "#ff8c2e";
  context.fillText("'98  8 14", width - 230, height - 42);
}
