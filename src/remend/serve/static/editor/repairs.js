// What runs on the server for a picture: reading a mask, finding damage, filling, another answer.

import { lookAlike } from "./alike.js";
import { maskPng, unzip } from "./bytes.js";
import { Mask } from "./mask.js";
import { finished, markedIn, sourceOf } from "./pictures.js";
import { Problem, effectiveMask, job } from "./server.js";
import { HARDEST } from "./settings.js";
import { eachRegionSpan } from "./sieve.js";
import { tr } from "./words.js";

/** @typedef {{method: string, quality: string, seed: number, sensitivity: number, feather: number}} Settings feather: pixels */

/**
 * Run something for a picture, one thing at a time; `work.running` cancels it.
 * @template T @param {import("./work.js").Work} work @param {(signal: AbortSignal) => Promise<T>} act
 * @returns {Promise<T>}
 */
async function alone(work, act) {
  if (work.running) throw new Problem({ detail: tr("this picture is being worked on"), remedy: tr("wait, or cancel it") });
  work.running = new AbortController();
  work.dispatchEvent(new Event("running"));
  try {
    return await act(work.running.signal);
  } finally {
    work.running = null;
    work.dispatchEvent(new Event("running"));
  }
}

/**
 * Lay a mask that the server reads into the picture's own.
 * @param {import("./work.js").Work} work
 * @param {Record<string, any>} fields of `POST /v1/mask` beside the picture; none = what a truncated one lacks
 * @param {string} label of the step
 * @returns {Promise<{isNew: boolean, notes: string[]}>} whether it marks anything more; what there is to say of it
 */
export function layMask(work, fields, label) {
  return alone(work, async (signal) => {
    const response = await effectiveMask({ ...sourceOf(work.record), ...fields }, signal);
    const eachRun = await markedIn(response);
    const { mask } = work;
    await mask.settled();
    mask.begin({ traced: true });
    eachRun((y, from, to) => mask.fill(y, from, to, 1));
    mask.refresh({ left: 0, top: 0, right: mask.width, bottom: mask.height });
    const hand = mask.traced();
    const difference = mask.commit();
    work.paint({ difference, hand, label, erased: false });
    return { isNew: difference !== null, notes: JSON.parse(response.headers.get("Remend-Notes") ?? "[]") };
  });
}

/**
 * Let the server find all that might be damage, of every kind; the work sifts it into the mask.
 * @param {{force?: boolean}} [options] force: search what is no photograph, too
 */
export function findDamage(work, settings, progress, { force = false } = {}) {
  return alone(work, async (signal) => {
    const { response } = await job(
      { kind: "detect", ...(work.answer?.file ? { image: work.answer.file } : sourceOf(work.record)), sensitivity: HARDEST, find: "all", force },
      progress,
      signal,
    );
    const { regions, nature, width, height } = await response.json();
    if (width !== work.mask.width || height !== work.mask.height)
      throw new Problem({ detail: tr`the server sees ${width}×${height} pixels, the browser ${work.mask.width}×${work.mask.height}` });
    const fresh = notYetRepaired(work, regions);
    await work.mask.settled();
    work.find(fresh, { nature, forced: force, sensitivity: settings.sensitivity });
  });
}

/**
 * Mark what somebody said should go.
 * @param {import("./work.js").Work} work @param {string} text @param {string} pick which of several; "" = not asked
 * @returns {Promise<{isNew: boolean, notes: string[]}>} whether it marks anything more; what it was taken for
 */
export function markSaid(work, text, pick, progress) {
  return alone(work, async (signal) => {
    const source = work.answer?.file ? { image: work.answer.file } : sourceOf(work.record);
    const { response } = await job({ kind: "detect", ...source, say: text, pick: pick || null }, progress, signal);
    const { regions, notes } = await response.json();
    const { mask } = work;
    await mask.settled();
    mask.begin({ traced: true });
    for (const region of regions) eachRegionSpan(region, (y, from, to) => mask.fill(y, from, to, 1));
    mask.refresh({ left: 0, top: 0, right: mask.width, bottom: mask.height });
    const hand = mask.traced();
    const difference = mask.commit();
    work.paint({ difference, hand, label: "what was said", erased: false });
    return { isNew: difference !== null, notes };
  });
}

/** Where anything was repaired. @param {import("./work.js").Work} work */
export function repairedMask(work) {
  const done = new Mask(work.mask.width, work.mask.height);
  done.begin();
  for (const entry of work.past) if (entry.kind === "repair") done.mark(entry.difference);
  done.commit();
  return done;
}

/** The file still has the damage that was repaired here: that is not found again. */
function notYetRepaired(work, regions) {
  if (!work.lastRepair) return regions;
  const done = repairedMask(work);
  return regions.filter((region) => {
    let inside = 0;
    eachRegionSpan(region, (y, from, to) => {
      for (let x = from; x < to; x++) inside += done.at(x, y);
    });
    return inside < region.pixels / 2;
  });
}

/** The picture as it stands now, or, where it was restored last, as it stood before that. */
function standing(work) {
  const base = work.lastRepair?.restored ? work.answerBefore : work.answer;
  return base?.file ? { image: base.file } : { ...sourceOf(work.record), kept: base?.patch ?? null };
}

/** What a restoration would do, and why. @returns {Promise<{steps: {step: string, strength: number, reason: string}[]}>} */
export function inspectPicture(work, progress) {
  return alone(work, async (signal) => (await job({ kind: "inspect", ...standing(work) }, progress, signal)).response.json());
}

/** Restore the whole picture. @param {Record<string, any>} asked fields of `POST /v1/restore` */
export function restorePicture(work, asked, progress) {
  return alone(work, async (signal) => {
    const began = performance.now();
    const result = await job({ kind: "restore", ...asked, ...standing(work) }, progress, signal);
    const { type, name } = work.record.file;
    const answer = {
      id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
      work: work.id,
      method: "restore",
      quality: "",
      seed: 0,
      seconds: (performance.now() - began) / 1000,
      patch: null,
      file: new File([await result.response.blob()], name, { type }),
      thumb: null,
      notes: result.report?.notes ?? [],
    };
    work.restored(answer, asked);
    return answer;
  });
}

/**
 * The prints of a scan as it stands now, straight and without the scanner's bed.
 * @param {boolean} withoutRim leave their white rims out, too
 * @returns {Promise<{files: File[], notes: string[]}>} no file: it is no scan
 */
export function cropPicture(work, withoutRim, progress) {
  return alone(work, async (signal) => {
    const { name, tolerate } = work.record;
    const source = work.answer ? { image: new File([(await finished(work)).blob], name) } : sourceOf(work.record);
    const { response, report } = await job({ kind: "crop", ...source, tolerate: tolerate || null, without_rim: withoutRim }, progress, signal);
    const { prints, filename, media_type: type, notes } = report;
    const blob = await response.blob();
    const files = prints.length > 1 ? await unzip(blob) : prints.map(() => ({ name: filename, blob }));
    const kind = prints.length > 1 ? work.record.file.type : type;
    return { files: files.map((one) => new File([one.blob], one.name, { type: kind })), notes };
  });
}

/**
 * The file with the same places filled on several of its pages, in the way of the answer that is shown.
 * @param {import("./work.js").Work} work @param {string} pages `all`, or numbers and ranges @param {string | null} format
 */
export function repairPages(work, pages, format, progress) {
  return alone(work, async (signal) => {
    const done = repairedMask(work);
    const mask = await maskPng(done.width, done.height, (row) => done.eachSpan(row));
    const { method, quality, seed, feather = 0 } = work.answer;
    const { response } = await job({ mask, method, quality, seed, feather_px: feather, pages, format, ...sourceOf(work.record) }, progress, signal);
    return response.blob();
  });
}

/** A file made larger by the server's net, and nothing else done to it. @param {File} image @param {number} times 2 or 4 */
export function enlarged(work, image, times, progress) {
  const nothingElse = { only: "tone", tone: 0 };
  return alone(work, async (signal) => {
    const { response } = await job({ kind: "restore", image, upscale: times, ...nothingElse }, progress, signal);
    return response.blob();
  });
}

/**
 * Fill what is marked.
 * @param {import("./work.js").Work} work @param {Settings} settings
 * @param {(signal: AbortSignal) => Promise<void>} [before] what may still change the marks
 */
export function repairMarked(work, settings, progress, before = async () => {}) {
  return alone(work, async (signal) => {
    await before(signal);
    const marks = work.mask.snapshot();
    const answer = await ask(work, marks, work.answer, settings, progress, signal);
    await work.mask.settled();
    work.mask.begin();
    work.mask.unmark(marks); // what was painted meanwhile stays marked
    work.repaired(answer, work.mask.commit() ?? []);
    return answer;
  });
}

/**
 * Fill the last repair again in another way.
 * @returns {Promise<{answer: import("./work.js").Answer, isNew: boolean}>} not new when it looks like an answer
 *   that is there; it is noted as tried then
 */
export function anotherAnswer(work, settings, progress) {
  return alone(work, async (signal) => {
    const entry = work.lastRepair;
    const answer = await ask(work, entry.difference, work.answerBefore, settings, progress, signal);
    await work.mask.settled();
    if (work.lastRepair !== entry) throw new DOMException("the repair was undone meanwhile", "AbortError");
    const places = entry.difference.map(({ index }) => work.mask.rectOf(index));
    for (const id of entry.answers) {
      const other = work.answers.get(id);
      if (!(await lookAlike(other, answer, places))) continue;
      const { method, quality, seed } = answer;
      work.tried({ method, quality, seed });
      return { answer: other, isNew: false };
    }
    work.addAnswer(answer);
    return { answer, isNew: true };
  });
}

/** One filling of some marks upon an earlier answer. @returns {Promise<import("./work.js").Answer>} */
async function ask(work, marks, before, settings, progress, signal) {
  const { width, height } = work.mask;
  const marked = new Mask(width, height);
  marked.begin();
  marked.mark(marks);
  marked.commit();
  const mask = await maskPng(width, height, (row) => marked.eachSpan(row));
  const { method, quality, seed, feather } = settings;
  const options = { mask, method, quality, seed, feather_px: feather };
  const began = performance.now();
  const send = (fields) => job({ ...options, ...fields }, progress, signal);
  let result;
  let isPatch = !before?.file;
  if (isPatch) {
    try {
      result = await send({ ...sourceOf(work.record), kept: before?.patch ?? null, format: "patch" });
    } catch (error) {
      // Pictures that no patch can hold (CMYK, float) go on from the repaired file, which is lossless for them.
      if (before || error.kind !== "cannot-write") throw error;
      isPatch = false;
    }
  }
  if (!isPatch) result = await send(before?.file ? { image: before.file } : sourceOf(work.record));
  const blob = await result.response.blob();
  const { type, name } = work.record.file;
  return {
    id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
    work: work.id,
    method,
    quality,
    seed,
    feather,
    seconds: (performance.now() - began) / 1000,
    patch: isPatch ? blob : null,
    file: isPatch ? null : new File([blob], name, { type }),
    thumb: null,
    notes: result.report?.notes ?? [],
    fillers: [...new Set((result.report?.plan ?? []).map((part) => part.filler))],
  };
}

const STAGES = {
  measure: tr("Measuring"), noise: tr("Taking noise and blocks off"), damage: tr("Repairing damage"),
  tone: tr("Bringing tones back"), read: tr("Reading the picture"), find: tr("Looking for damage"), plan: tr("Planning"),
  fill: tr("Filling"), write: tr("Writing"),
};

/** What to say about a job that runs. */
export function wordsFor(job) {
  if (job.state === "refused") return tr("The server is busy; trying again");
  if (job.state === "queued") {
    if (!job.place || job.place === 1) return tr("Next in the queue");
    return tr`In the queue, ${job.place - 1} before you`;
  }
  const stage = STAGES[job.stage] ?? tr("Starting");
  return job.stage === "fill" && job.steps > 1 ? tr`${stage}, ${job.step} of ${job.steps}` : stage;
}
