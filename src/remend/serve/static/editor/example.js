// A picture to try it on: NASA's portrait of Eileen Collins (public domain), with scratches, dust and a date
// drawn over it here.

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
  const photograph = await createImageBitmap(await (await fetch("static/example.jpg")).blob());
  const { width, height } = photograph;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.drawImage(photograph, 0, 0);
  photograph.close();
  damage(context, width, height, numbers(7));
  return new File([await canvas.convertToBlob({ type: "image/png" })], "example.png", { type: "image/png" });
}

function damage(context, width, height, random) {
  context.lineCap = "round";
  for (let n = 0; n < 7; n++) {
    let x = width * (0.08 + 0.84 * random());
    let y = height * 0.3 * random();
    const lean = (random() - 0.5) * 0.5;
    const end = y + height * (0.3 + 0.4 * random());
    context.strokeStyle = `rgb(255 250 240 / ${0.8 + 0.2 * random()})`;
    context.lineWidth = 1 + 1.2 * random();
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
    context.ellipse(width * random(), height * random(), 1 + 1.4 * random(), 1 + 1.2 * random(), 3 * random(), 0, 7);
    context.fill();
  }
  context.font = "600 20px 'Liberation Mono', 'DejaVu Sans Mono', monospace";
  context.fillStyle = "#ff8c2e";
  context.fillText("'98  8 14", width - 140, height - 24);
}
