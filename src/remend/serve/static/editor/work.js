// One picture and all that was done to it. The history is the truth: what was found, what is kept, and
// which answer is shown all follow from the steps up to now. Nothing is ever done to the file itself;
// repairs are patches over it, so a picture does not age however often it is repaired.

import { Mask, cellsOf } from "./mask.js";
import { LETTERING, NOTHING, after, handIn, harderThan, sift } from "./sieve.js";
import * as store from "./store.js";
import { tellOthers } from "./tabs.js";

/**
 * @typedef {{id: string, work: string, method: string, quality: string, seed: number, feather?: number, seconds: number,
 *   patch: Blob | null, file: Blob | null, thumb: Blob | null, notes: string[]}} Answer
 *   `patch`: all that was filled so far, transparent elsewhere; `file`: the repaired file, for the few
 *   kinds of picture that no patch can hold
 * @typedef {{work: string, at: number, kind: "paint" | "found" | "sift" | "keep" | "repair", label: string,
 *   difference: import("./mask.js").Difference, hand?: import("./mask.js").Difference, erased?: boolean, clears?: boolean,
 *   regions?: import("./sieve.js").Found[], nature?: string, forced?: boolean, sieve?: import("./sieve.js").Sieve,
 *   slides?: boolean, reset?: string, ids?: number[], kept?: boolean, answers?: string[], chosen?: string,
 *   tried?: {method: string, quality: string, seed: number}[], restored?: Record<string, any>}} Entry
 *   of `paint`: `hand`, all that it went over, and whether it `erased` or was the mask cleared; of `found`: what
 *   the picture is, and whether it was searched all the same; of `sift`: the slider `slides`, or the kind whose
 *   switch was turned, by which what was decided on its regions is `reset`; of `repair`: what was asked for and
 *   was no answer of its own (`tried`), or of a restoration (`restored`)
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
    /** @type {import("./sieve.js").Sifted} what was found, and which of it counts */
    this.sifted = NOTHING;
    /** @type {{sieve: import("./sieve.js").Sieve, differences: import("./mask.js").Difference[]} | null} while the slider moves */
    this.previewed = null;
    /** @type {{of: Entry | undefined, mask: Mask} | null} see `#hand` */
    this.handed = null;
    /** @type {AbortController | null} what runs for this picture on the server */
    this.running = null;
    this.saving = Promise.resolve();
  }

  get id() {
    return this.record.id;
  }

  /** The search whose finds are listed. @returns {Entry | null} */
  get search() {
    return this.sifted.search;
  }

  /** What is listed of the finds. @returns {import("./sieve.js").Region[]} */
  get regions() {
    return this.sifted.regions.filter((region) => region.shown);
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
    this.#settle();
    this.#push(step);
  }

  #push(step) {
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
    this.#settle();
    const entry = this.past.pop();
    if (!entry) return null;
    this.mask.flip(entry.difference);
    this.future.push(entry);
    this.#moved();
    return entry;
  }

  /** @returns {Entry | null} what was done again */
  redo() {
    this.#settle();
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

  /** Whether there is something to take away: it was repaired, or cut out of a scan. */
  get isMade() {
    return this.answer !== null || Boolean(this.record.scan);
  }

  /** The answer that the last repair was made upon. @returns {Answer | null} */
  get answerBefore() {
    const repairs = this.past.filter((entry) => entry.kind === "repair");
    return this.answers.get(repairs[repairs.length - 2]?.chosen) ?? null;
  }

  /** Where any repair up to now has changed something. */
  get repairedRects() {
    return cellsOf(this.past.filter((entry) => entry.kind === "repair").map((entry) => entry.difference), this.mask);
  }

  /** A further answer to the last repair, and the one to be shown. @param {Answer} answer */
  addAnswer(answer) {
    const entry = this.lastRepair;
    this.answers.set(answer.id, answer);
    entry.answers.push(answer.id);
    this.#later(() => store.put("answers", answer));
    this.choose(answer.id);
  }

  /** Something was asked for that is no answer of its own. @param {{method: string, quality: string, seed: number}} asked */
  tried(asked) {
    const entry = this.lastRepair;
    entry.tried = [...(entry.tried ?? []), asked];
    this.#later(() => store.put("entries", entry));
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

  /**
   * The whole picture was restored; what is marked stays marked. Asked for again, it takes the place of the last.
   * @param {Answer} answer @param {Record<string, any>} restored what was asked for
   */
  restored(answer, restored) {
    const entry = this.lastRepair;
    if (entry?.restored) {
      entry.restored = restored;
      this.addAnswer(answer);
      return;
    }
    this.answers.set(answer.id, answer);
    this.#later(() => store.put("answers", answer));
    this.push({ kind: "repair", label: "restore", difference: [], answers: [answer.id], chosen: answer.id, restored });
  }

  /**
   * Something was painted, or erased.
   * @param {{difference: import("./mask.js").Difference | null, hand: import("./mask.js").Difference, label: string, erased: boolean}} painted
   * @returns {boolean} whether it is a step
   */
  paint({ difference, hand, label, erased }) {
    const { regions } = this.sifted;
    // Painting over found marks flips nothing, yet makes them the user's own.
    if (!difference && (erased || label === "the rest" || !regions.length)) return false;
    this.push({ kind: "paint", label, difference: difference ?? [], erased, ...(regions.length && { hand }) });
    return true;
  }

  /**
   * Damage was looked for. What is sure, and not lettering, goes into the mask.
   * @param {import("./sieve.js").Found[]} regions all that might be
   * @param {{nature: string, forced: boolean, sensitivity: number}} search
   */
  find(regions, { nature, forced, sensitivity }) {
    this.#settle();
    const off = this.past.findLast((entry) => entry.sieve)?.sieve.off ?? LETTERING;
    const sieve = { sensitivity: this.sifted.sieve?.sensitivity ?? sensitivity, off };
    this.#step({ kind: "found", label: "find damage", regions, nature, forced, sieve });
  }

  /** Keep regions or throw them away, whatever the sensitivity. @param {number[]} ids @param {boolean} kept */
  keep(ids, kept) {
    this.#settle();
    const which = ids.filter((id) => this.sifted.regions[id].kept !== kept);
    if (which.length) this.#step({ kind: "keep", label: kept ? "keep" : "throw away", ids: which, kept });
  }

  /** Switch a kind on or off, all of it. @param {string} kind @param {boolean} isOn */
  switchKind(kind, isOn) {
    this.#settle();
    const { sieve } = this.sifted;
    const off = sieve.off.filter((other) => other !== kind);
    if (!isOn) off.push(kind);
    this.#step({ kind: "sift", label: `${kind} ${isOn ? "on" : "off"}`, sieve: { ...sieve, off }, reset: kind });
  }

  /** Show another sensitivity while the slider moves; no step of the history yet. @param {number} sensitivity */
  preview(sensitivity) {
    if (!this.search || this.mask.isOpen || sensitivity === this.sifted.sieve.sensitivity) return;
    const sieve = { ...this.sifted.sieve, sensitivity };
    const { sifted, difference } = this.#change({ kind: "sift", sieve });
    this.sifted = sifted;
    this.previewed = { sieve, differences: [...(this.previewed?.differences ?? []), difference] };
    this.dispatchEvent(new Event("preview"));
  }

  /** Another sensitivity counts. Several in a row are one step. @param {number} sensitivity */
  slide(sensitivity) {
    if (!this.search || this.mask.isOpen) return;
    if (this.previewed) {
      for (const difference of this.previewed.differences) this.mask.flip(difference);
      this.previewed = null;
      this.#derive();
    }
    if (this.past.at(-1).slides && sensitivity !== this.sifted.sieve.sensitivity) this.undo();
    const { sieve } = this.sifted;
    if (sensitivity === sieve.sensitivity) this.#moved();
    else this.#step({ kind: "sift", label: "sensitivity", sieve: { ...sieve, sensitivity }, slides: true });
  }

  /** The sensitivity at which something shows where nothing does now; null when there is nothing. */
  get harder() {
    return this.search && harderThan(this.sifted);
  }

  /** What a step does to the mask. @param {Partial<Entry>} step */
  #change(step) {
    const { mask } = this;
    const sifted = after(this.sifted, step);
    mask.begin();
    sift(mask, this.#hand(), this.sifted, sifted, step.kind !== "sift");
    return { sifted, difference: mask.commit() ?? [] };
  }

  #step(step) {
    const { difference } = this.#change(step);
    this.#push({ ...step, difference });
  }

  /** What the slider shows becomes a step before another is made. */
  #settle() {
    if (!this.previewed) return;
    this.slide(this.previewed.sieve.sensitivity);
  }

  /** Where the user has the last word; sifting changes nothing about that. */
  #hand() {
    const of = this.past.findLast((entry) => entry.kind !== "sift");
    if (this.handed?.of !== of || !of) this.handed = { of, mask: handIn(this.past, this.mask.width, this.mask.height) };
    return this.handed.mask;
  }

  /** Note something beside the history: the view, the settings, accepted or not. */
  note(changes) {
    Object.assign(this.record, changes);
    this.#later(() => store.put("works", this.record));
  }

  #moved() {
    this.#derive();
    this.note({ done: this.past.length, marked: !this.mask.isEmpty() });
    this.dispatchEvent(new Event("change"));
    this.share();
  }

  /** Let other tabs know, when all is written. */
  share() {
    this.#later(async () => tellOthers(this.id));
  }

  #derive() {
    this.sifted = this.past.reduce(after, NOTHING);
  }

  /** Writes happen one after the other; the first that fails is told, and none is lost in silence. */
  #later(write) {
    this.saving = this.saving.then(write).catch((error) => {
      this.dispatchEvent(new CustomEvent("unsaved", { detail: error }));
    });
  }
}
