// The pictures that are open: which there are, which is worked on, and what becomes of each.

import { checkLimits, decode, folderOf, looksLikePicture, thumbnail } from "./pictures.js";
import { Problem } from "./server.js";
import * as store from "./store.js";
import { hearOthers, tellOthers } from "./tabs.js";
import { Work } from "./work.js";
import { tr } from "./words.js";

const CURRENT = "remend-current";

export class Gallery extends EventTarget {
  constructor() {
    super();
    /** @type {any[]} records in the order of the strip */
    this.records = [];
    /** @type {any[]} records that are not shown: scans that were cropped, and prints whose crop was undone */
    this.aside = [];
    /** @type {Map<string, Work>} those that were looked at */
    this.works = new Map();
    /** @type {Map<string, string>} passing states: waiting, running, failed, clean */
    this.passing = new Map();
    this.current = null;
    /** @type {{id: string, bitmap: ImageBitmap} | null} see `#hold` */
    this.held = null;
    /** @type {AbortController | null} Find and repair all, while it runs */
    this.batch = null;
    hearOthers((id) => this.#follow(id));
  }

  /** Another tab has changed, opened or closed a picture: what is kept counts. */
  async #follow(id) {
    const found = await store.workOf(id);
    this.aside = this.aside.filter((record) => record.id !== id);
    if (found?.aside) this.aside.push(found);
    const kept = found?.aside ? null : found;
    const at = this.records.findIndex((record) => record.id === id);
    this.works.get(id)?.running?.abort(new DOMException("changed in another tab", "AbortError"));
    this.works.delete(id);
    if (kept && at >= 0) this.records[at] = kept;
    else if (kept) this.records.push(kept);
    else if (at >= 0) this.records.splice(at, 1);
    this.dispatchEvent(new CustomEvent("followed", { detail: { id, name: kept?.name, at } }));
    this.dispatchEvent(new Event("change"));
  }

  /** What an earlier visit left. @returns {Promise<string | null>} which picture was on the stage */
  async restore() {
    const all = (await store.allWorks()).sort((one, two) => one.order - two.order);
    this.records = all.filter((record) => !record.aside);
    this.aside = all.filter((record) => record.aside);
    const last = localStorage.getItem(CURRENT);
    return (this.records.find((record) => record.id === last) ?? this.records[0])?.id ?? null;
  }

  /** @param {string} id @returns {Promise<Work>} */
  async work(id) {
    let work = this.works.get(id);
    if (!work) {
      work = await Work.load(this.records.find((record) => record.id === id));
      this.works.set(id, work);
      this.dispatchEvent(new CustomEvent("loaded", { detail: work }));
    }
    return work;
  }

  select(id) {
    this.current = id;
    try {
      if (id) localStorage.setItem(CURRENT, id);
      else localStorage.removeItem(CURRENT);
    } catch {
      // Then the first picture is shown after a reload.
    }
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Add files that are pictures, in the order of their names.
   * @param {File[]} files @param {(error: Error, file: File) => void} failed called for each that cannot be opened
   * @param {boolean} [tolerate] open truncated ones as far as they go
   * @returns {AsyncGenerator<string>} the id of each, as soon as it is there
   */
  async *add(files, failed, tolerate = false) {
    const pictures = files.filter(looksLikePicture);
    if (!pictures.length) {
      const what = files.length === 1 ? tr`${files[0].name} is not a picture` : tr("there are no pictures among these files");
      throw new Problem({ detail: what, remedy: tr("choose JPEG, PNG, TIFF, WebP, AVIF, HEIF, BMP or GIF") });
    }
    pictures.sort((one, two) => one.name.localeCompare(two.name, undefined, { numeric: true }));
    for (const file of pictures) {
      try {
        yield await this.#open(file, tolerate);
      } catch (error) {
        failed(error, file);
      }
    }
  }

  /**
   * The prints of a scan take its place; the scan is set aside, and so is what was cut out of it before.
   * @param {any} scan a record @param {File[]} files @returns {Promise<string>} the id of the first
   */
  async crop(scan, files) {
    const earlier = this.aside.filter((record) => record.scan === scan.id);
    let number = 0;
    const ids = [];
    // Before the next picture of the strip, whatever their names are.
    for (const file of files)
      ids.push(await this.#open(file, false, { scan: scan.id, folder: scan.folder ?? "", order: scan.order + ++number / 1000 }));
    scan.croppedAt = scan.done ?? 0; // once more was done to it, there is nothing to do again
    this.#setAside([scan], []);
    for (const { id } of earlier) this.#forget(id);
    this.aside = this.aside.filter((record) => !earlier.includes(record));
    return ids[0];
  }

  /** What a crop made of this picture, or the scan that this print is of: what undo or redo would bring back. */
  otherSide(record, redo) {
    if (redo) return this.aside.filter((other) => other.scan === record.id && record.done === record.croppedAt);
    return this.aside.filter((other) => other.id === record.scan);
  }

  /** Take a crop back, or do it again. @param {any} record @returns {string | null} the id of what is shown then */
  swap(record, redo) {
    const shown = this.otherSide(record, redo);
    if (!shown.length) return null;
    this.#setAside(redo ? [record] : this.records.filter((other) => other.scan === record.scan), shown);
    return shown[0].id;
  }

  #setAside(gone, shown) {
    for (const record of gone) record.aside = true;
    for (const record of shown) record.aside = false;
    const all = [...this.records, ...this.aside];
    this.records = all.filter((record) => !record.aside).sort((one, two) => one.order - two.order);
    this.aside = all.filter((record) => record.aside);
    for (const record of [...shown, ...gone]) this.#keep(record);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {any} record @param {Work} [work] told when the browser has no room */
  #keep(record, work = this.works.get(record.id)) {
    return store
      .put("works", record)
      .then(() => tellOthers(record.id))
      .catch((error) => work?.dispatchEvent(new CustomEvent("unsaved", { detail: error })));
  }

  async #open(file, tolerate, more = {}) {
    await checkLimits(file);
    const { bitmap, preview } = await decode({ file, tolerate });
    const record = {
      id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
      order: Date.now() + Math.random(),
      file,
      tolerate,
      preview,
      name: file.name || "pasted.png",
      folder: folderOf(file),
      width: bitmap.width,
      height: bitmap.height,
      thumb: await thumbnail(bitmap),
      done: 0,
      state: "",
      ...more,
    };
    this.records.push(record);
    const work = new Work(record);
    this.#hold(record.id, bitmap);
    this.works.set(record.id, work);
    this.dispatchEvent(new CustomEvent("loaded", { detail: work }));
    await this.#keep(record, work);
    this.dispatchEvent(new Event("change"));
    return record.id;
  }

  /** The picture that was opened last is likely to be shown next: it is not decoded twice. */
  #hold(id, bitmap) {
    this.release();
    this.held = { id, bitmap };
  }

  /** Nothing more is opened: what was held is let go. */
  release() {
    this.held?.bitmap.close();
    this.held = null;
  }

  /** A decoded picture, to be closed by who takes it. @param {any} record @returns {Promise<ImageBitmap>} */
  async bitmap(record) {
    const { held } = this;
    if (held?.id === record.id) {
      this.held = null;
      return held.bitmap;
    }
    return (await decode({ ...record, file: record.preview ?? record.file })).bitmap;
  }

  /** Take a picture out; nothing is deleted yet. @returns {{restore: () => void, delete: () => void}} */
  remove(id) {
    const at = this.records.findIndex((record) => record.id === id);
    const [record] = this.records.splice(at, 1);
    this.works.get(id)?.running?.abort();
    this.dispatchEvent(new Event("change"));
    return {
      restore: () => {
        this.records.splice(Math.min(at, this.records.length), 0, record);
        this.dispatchEvent(new Event("change"));
      },
      delete: () => {
        this.#forget(id);
        // With the last of its prints a scan goes, and with a scan what was cut out of it.
        const isLast = !this.records.some((other) => other.scan && other.scan === record.scan);
        const useless = this.aside.filter((other) => other.scan === id || (isLast && other.id === record.scan));
        this.aside = this.aside.filter((other) => !useless.includes(other));
        for (const other of useless) this.#forget(other.id);
      },
    };
  }

  #forget(id) {
    this.works.delete(id);
    const forgotten = store.forget(id).then(() => tellOthers(id));
    forgotten.catch(() => {}); // it is shown again after a reload; nothing is lost
  }

  /** The state of a picture in the strip. */
  stateOf(record) {
    return this.passing.get(record.id) || record.state || (record.repaired ? "repaired" : record.marked ? "marked" : record.clean ? "clean" : "");
  }

  pass(id, state) {
    if (state) this.passing.set(id, state);
    else this.passing.delete(id);
    this.dispatchEvent(new Event("change"));
  }

  /** The neighbour in the strip. @param {number} step @returns {string | null} */
  beside(step) {
    const at = this.records.findIndex((record) => record.id === this.current);
    return this.records[at + step]?.id ?? null;
  }
}
