// The microphone: what is spoken becomes a WAV file for this server, which turns it into words. Nothing else
// hears it.

const RATE = 16000;
const MOST_SECONDS = 15;

/** Whether this browser lets a page listen: only on this machine, or over HTTPS. */
export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);

/**
 * Begin to listen.
 * @returns {Promise<{done: Promise<Blob>, stop: () => void}>} `done` when it is stopped, or 15 seconds are over
 */
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const stop = () => recorder.state !== "inactive" && recorder.stop();
  const timer = setTimeout(stop, 1000 * MOST_SECONDS - 500);
  const done = new Promise((whole, failed) => {
    recorder.addEventListener("stop", () => {
      clearTimeout(timer);
      for (const track of stream.getTracks()) track.stop();
      new Blob(parts, { type: recorder.mimeType }).arrayBuffer().then(toWav).then(whole, failed);
    });
  });
  recorder.start();
  return { done, stop };
}

/** @param {ArrayBuffer} encoded as the browser records @returns {Promise<Blob>} 16 kHz, mono, 16 bits */
async function toWav(encoded) {
  const heard = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(encoded);
  const context = new OfflineAudioContext(1, Math.max(1, Math.round(heard.duration * RATE)), RATE);
  const source = context.createBufferSource();
  source.buffer = heard;
  source.connect(context.destination);
  source.start();
  return wavOf((await context.startRendering()).getChannelData(0));
}

/** @param {Float32Array} samples */
function wavOf(samples) {
  const data = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((letter, n) => data.setUint8(at + n, letter.charCodeAt(0)));
  text(0, "RIFF");
  data.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  data.setUint32(16, 16, true);
  data.setUint16(20, 1, true);
  data.setUint16(22, 1, true);
  data.setUint32(24, RATE, true);
  data.setUint32(28, 2 * RATE, true);
  data.setUint16(32, 2, true);
  data.setUint16(34, 16, true);
  text(36, "data");
  data.setUint32(40, 2 * samples.length, true);
  samples.forEach((level, n) => data.setInt16(44 + 2 * n, 32767 * Math.max(-1, Math.min(1, level)), true));
  return new Blob([data.buffer], { type: "audio/wav" });
}
