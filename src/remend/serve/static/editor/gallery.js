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
    const kept = await store.workOf(id);
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
    this.records = (await store.allWorks()).sort((one, two) => one.order - two.order);
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

  async #open(file, tolerate) {
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
    };
    this.records.push(record);
    const work = new Work(record);
    this.#hold(record.id, bitmap);
    this.works.set(record.id, work);
    this.dispatchEvent(new CustomEvent("loaded", { detail: work }));
    await store
      .put("works", record)
      .then(() => tellOthers(record.id))
      .catch((error) => work.dispatchEvent(new CustomEvent("unsaved", { detail: error })));
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
        this.works.delete(id);
        const forgotten = store.forget(id).then(() => tellOthers(id));
        forgotten.catch(() => {}); // it is shown again after a reload; nothing is lost
      },
    };
  }

  /** The state of a picture in the strip. */
  stateOf(record) {
    return this.passing.get(record.id) || record.state || (record.repaired ? "repaired" : record.clean ? "clean" : "");
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
