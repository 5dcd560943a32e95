// One picture and all that was done to it. The history is the truth: what was found, what is kept, and
// which answer is shown all follow from the steps up to now. Nothing is ever done to the file itself;
// repairs are patches over it, so a picture does not age however often it is repaired.

import { Mask } from "./mask.js";
import * as store from "./store.js";

/**
 * @typedef {{kind: string, confidence: number, box: number[], pixels: number, runs: number[]}} Found
 * @typedef {Found & {id: number, kept: boolean}} Region
 * @typedef {{id: string, work: string, method: string, quality: string, seed: number, seconds: number,
 *   patch: Blob | null, file: Blob | null, thumb: Blob | null, notes: string[]}} Answer
 *   `patch`: all that was filled so far, transparent elsewhere; `file`: the repaired file, for the few
 *   kinds of picture that no patch can hold
 * @typedef {{work: string, at: number, kind: "paint" | "found" | "keep" | "repair", label: string,
 *   difference: import("./mask.js").Difference, regions?: Found[], ids?: number[],
 *   answers?: string[], chosen?: string}} Entry
 */

export class Work extends EventTarget {
  /** @param {{id: string, file: File, name: string, width: number, height: number, order: number}} record */
  constructor(record) {
    super();
    this.record = record;
    this.mask = new Mask(record.width, record.height);
    /** @type {Entry[]} */
    this.past = [];
    /** @type {Entry[]} the next one to do again is the last */
    this.future = [];
    /** @type {Map<string, Answer>} */
    this.answers = new Map();
    /** @type {Region[]} */
    this.regions = [];
    /** @type {AbortController | null} what runs for this picture on the server */
    this.running = null;
    this.saving = Promise.resolve();
  }

  get id() {
    return this.record.id;
  }

  /** @param {any} record as `save` wrote it */
  static async load(record) {
    const work = new Work(record);
    const entries = (await store.entriesOf(record.id)).sort((one, two) => one.at - two.at);
    for (const answer of await store.answersOf(record.id)) work.answers.set(answer.id, answer);
    const done = Math.min(record.done ?? entries.length, entries.length);
    work.past = entries.slice(0, done);
    work.future = entries.slice(done).reverse();
    for (const entry of work.past) work.mask.flip(entry.difference);
    work.#derive();
    return work;
  }

  /** A new step. @param {Omit<Entry, "work" | "at">} step */
  push(step) {
    const lost = this.future.flatMap((entry) => entry.answers ?? []);
    const entry = { ...step, work: this.id, at: this.past.length };
    this.past.push(entry);
    this.future = [];
    for (const id of lost) this.answers.delete(id);
    this.#later(async () => {
      await store.append(entry);
      if (lost.length) await store.forgetAnswers(lost);
    });
    this.#moved();
  }

  /** @returns {Entry | null} what was undone */
  undo() {
    const entry = this.past.pop();
    if (!entry) return null;
    this.mask.flip(entry.difference);
    this.future.push(entry);
    this.#moved();
    return entry;
  }

  /** @returns {Entry | null} what was done again */
  redo() {
    const entry = this.future.pop();
    if (!entry) return null;
    this.mask.flip(entry.difference);
    this.past.push(entry);
    this.#moved();
    return entry;
  }

  /** The last repair. @returns {Entry | null} */
  get lastRepair() {
    return this.past.findLast((entry) => entry.kind === "repair") ?? null;
  }

  /** The answer that is shown. @returns {Answer | null} */
  get answer() {
    return this.answers.get(this.lastRepair?.chosen) ?? null;
  }

  /** The answer that the last repair was made upon. @returns {Answer | null} */
  get answerBefore() {
    const repairs = this.past.filter((entry) => entry.kind === "repair");
    return this.answers.get(repairs[repairs.length - 2]?.chosen) ?? null;
  }

  /** All tiles that any repair up to now has changed. */
  get repairedRects() {
    const indices = new Set();
    for (const entry of this.past)
      if (entry.kind === "repair") for (const { index } of entry.difference) indices.add(index);
    return [...indices].map((index) => this.mask.rectOf(index));
  }

  /** A further answer to the last repair, and the one to be shown. @param {Answer} answer */
  addAnswer(answer) {
    const entry = this.lastRepair;
    this.answers.set(answer.id, answer);
    entry.answers.push(answer.id);
    this.#later(() => store.put("answers", answer));
    this.choose(answer.id);
  }

  /** @param {string} id of one of the last repair's answers */
  choose(id) {
    const entry = this.lastRepair;
    entry.chosen = id;
    this.#later(() => store.put("entries", entry));
    this.#moved();
  }

  /** @param {Answer} answer @param {Blob} thumb */
  keepThumbnail(answer, thumb) {
    answer.thumb = thumb;
    this.#later(() => store.put("answers", answer));
  }

  /** The mask became empty by a repair that gave this answer. @param {Answer} answer */
  repaired(answer, difference) {
    this.answers.set(answer.id, answer);
    this.#later(() => store.put("answers", answer));
    this.push({ kind: "repair", label: "repair", difference, answers: [answer.id], chosen: answer.id });
  }

  /** Damage was found: all of it goes into the mask, each region can be thrown away. @param {Found[]} found */
  found(found) {
    const { mask } = this;
    mask.begin();
    for (const region of found) markRegion(mask, region);
    const difference = mask.commit() ?? [];
    this.push({ kind: "found", label: "find damage", difference, regions: found });
  }

  /** Keep regions or throw them away. @param {number[]} ids @param {boolean} kept */
  keep(ids, kept) {
    const which = this.regions.filter((region) => ids.includes(region.id) && region.kept !== kept);
    if (!which.length) return;
    const { mask } = this;
    mask.begin();
    for (const region of which) eachRegionSpan(region, (y, from, to) => mask.fill(y, from, to, kept ? 1 : 0));
    if (!kept) {
      // What a region shares with one that stays, stays.
      const stay = this.regions.filter((region) => region.kept && !which.includes(region));
      for (const region of stay) {
        if (which.some((gone) => overlap(gone.box, region.box)))
          eachRegionSpan(region, (y, from, to) => mask.fill(y, from, to, 1));
      }
    }
    for (const region of this.regions) if (ids.includes(region.id)) mask.refresh(rectOfBox(region.box));
    const difference = mask.commit() ?? [];
    const label = kept ? "keep" : "throw away";
    this.push({ kind: "keep", label, difference, ids: which.map((region) => region.id) });
  }

  /** Note something beside the history: the view, the settings, accepted or not. */
  note(changes) {
    Object.assign(this.record, changes);
    this.#later(() => store.put("works", this.record));
  }

  #moved() {
    this.#derive();
    this.note({ done: this.past.length });
    this.dispatchEvent(new Event("change"));
  }

  #derive() {
    let regions = [];
    for (const entry of this.past) {
      if (entry.kind === "found") regions = entry.regions.map((region, id) => ({ ...region, id, kept: true }));
      if (entry.kind === "keep") for (const id of entry.ids) regions[id].kept = !regions[id].kept;
      if (entry.kind === "repair") regions = [];
    }
    this.regions = regions;
  }

  /** Writes happen one after the other; the first that fails is told, and none is lost in silence. */
  #later(write) {
    this.saving = this.saving.then(write).catch((error) => {
      this.dispatchEvent(new CustomEvent("unsaved", { detail: error }));
    });
  }
}

/** @param {Mask} mask inside an open change @param {Found} region */
export function markRegion(mask, region) {
  eachRegionSpan(region, (y, from, to) => mask.fill(y, from, to, 1));
  mask.refresh(rectOfBox(region.box));
}

export const rectOfBox = ([left, top, right, bottom]) => ({ left, top, right, bottom });

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

/** The runs of a region: lengths of zeros and ones in turn, row by row of its box. */
export function eachRegionSpan({ box: [left, top, right], runs }, span) {
  const width = right - left;
  let at = 0;
  runs.forEach((length, i) => {
    if (i & 1) {
      for (let from = at; from < at + length; ) {
        const row = Math.floor(from / width);
        const end = Math.min(at + length, (row + 1) * width);
        span(top + row, left + from - row * width, left + end - row * width);
        from = end;
      }
    }
    at += length;
  });
}
