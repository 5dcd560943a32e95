// What is done to the picture on the stage: find, repair, another answer, undo, its mask, download.

import { maskPng } from "./bytes.js";
import { stepName } from "./display.js";
import { $ } from "./elements.js";
import { notice, say } from "./notices.js";
import { finished, save } from "./pictures.js";
import { countsOf } from "./regions.js";
import { anotherAnswer, findDamage, layMask, repairMarked } from "./repairs.js";
import { leftBy } from "./selecting.js";
import { settings, wanted } from "./settings.js";
import { verdictOn } from "./verdict.js";
import { WAYS, nameOfWay, nextAsked, nextOfWay, triedFor, wayOf } from "./ways.js";
import { tr } from "./words.js";

/**
 * @param {{stage: import("./stage.js").Stage, scene: import("./scene.js").Scene, gallery: import("./gallery.js").Gallery,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>,
 *   filling: ReturnType<typeof import("./filling.js").fillingChoice>,
 *   cropping: ReturnType<typeof import("./cropping.js").pictureCropping>}} parts
 */
export function pictureActions({ stage, scene, gallery, display, filling, cropping }) {
  const { attempt, progressOf } = display;
  let again = false; // something was painted while a repair ran

  /** @param {boolean} [force] search what is no photograph, too */
  async function find(force = false) {
    const now = scene.work;
    if (!now || now.running || gallery.batch) return;
    await attempt(
      async () => {
        await findDamage(now, wanted(), progressOf(now), { force });
        tellFound(now);
      },
      tolerating(now, () => find(force)),
    );
  }

  /** Some browsers show what the server finds truncated, and only then is it asked about. */
  function tolerating(now, act) {
    return () => {
      now.note({ tolerate: true });
      act();
    };
  }

  /** Look less strictly, step by step, until something shows. */
  function lookHarder() {
    const now = scene.work;
    if (!now || now.running || now.mask.isOpen || gallery.batch) return;
    if (!now.search) {
      find();
      return;
    }
    if (now.harder !== null) now.slide(now.harder);
    tellFound(now);
  }

  function tellFound(now) {
    const verdict = verdictOn(now);
    const kept = now.regions.filter((region) => region.kept);
    if (!verdict) {
      say(tr`${countsOf(kept) || "Nothing"} marked at a sensitivity of ${Math.round(100 * now.sifted.sieve.sensitivity)} %`);
      return;
    }
    say(verdict.text);
    if (now !== scene.work || $("verdict").checkVisibility()) return;
    // On a phone the panel that says so is folded away.
    const action = verdict.force
      ? { label: tr("Search all the same"), run: () => find(true) }
      : verdict.harder
        ? { label: tr("Look harder"), run: lookHarder }
        : undefined;
    notice(verdict.text, { key: "found", action });
  }

  async function repair() {
    const now = scene.work;
    if (!now || gallery.batch) return;
    if (now.running) {
      again = true;
      return;
    }
    if (now.mask.isEmpty()) {
      notice(tr("nothing is marked yet"), {
        remedy: tr("paint over what should go"),
        key: "empty",
        action: { label: tr("Find damage"), run: () => find() },
      });
      return;
    }
    do {
      again = false;
      const before = (signal) => takeRest(now, signal);
      const answer = await attempt(() => repairMarked(now, wanted(), progressOf(now), before), tolerating(now, repair));
      if (!answer) return;
      say(tr`Repaired in ${answer.seconds.toFixed(1)} seconds`);
      for (const note of answer.notes) notice(note, { seconds: 6 });
    } while (again && settings.auto && !now.mask.isEmpty() && now === scene.work);
  }

  /** What a hasty hand has left of a thing would show: it goes along, and that is told. */
  async function takeRest(now, signal) {
    const last = now.past.at(-1);
    if (!settings.rims || last?.kind !== "paint" || last.erased || last.clears || last.label === "the rest" || !stage.original) return;
    const eachRun = await leftBy(stage.original, now.mask, signal);
    if (now.mask.isOpen || now !== scene.work) return;
    const { mask } = now;
    const before = mask.count();
    mask.begin({ traced: true });
    eachRun((y, from, to) => mask.fill(y, from, to, 1));
    mask.refresh({ left: 0, top: 0, right: mask.width, bottom: mask.height });
    const hand = mask.traced();
    if (!now.paint({ difference: mask.commit(), hand, label: "the rest", erased: false })) return;
    const more = mask.count() - before;
    if (more) notice(tr`what was left of the thing that you marked goes along (${more} pixels)`, { remedy: tr("undo twice to leave it"), key: "the rest", seconds: 5 });
  }

  /**
   * Ask until an answer comes that looks different from those that are there.
   * @param {import("./work.js").Work} now @param {(tried: any[]) => any} next what to ask for after what was tried
   * @returns {Promise<import("./work.js").Answer | null | undefined>} null: nothing is left to ask for;
   *   undefined: it failed or was cancelled
   */
  async function different(now, next) {
    for (;;) {
      const asked = next(triedFor(now.lastRepair, now.answers));
      if (!asked) return null;
      const step = (job) => progressOf(now)(job, nameOfWay(asked.method));
      const result = await attempt(() => anotherAnswer(now, wanted(asked), step));
      if (!result) return undefined;
      if (result.isNew) return result.answer;
    }
  }

  /** An answer that looks different. */
  async function another() {
    const now = scene.work;
    if (!now?.lastRepair || now.lastRepair.restored || now.running || gallery.batch) return;
    const answer = await different(now, (tried) => nextAsked(filling.methods(), tried, wanted()));
    if (answer) say(tr`Another answer: ${nameOfWay(answer.method)}`);
    if (answer === null)
      notice(tr("there is no other answer: all that was tried looks like one of these"), {
        remedy: tr("paint the mask a little wider, and repair again"),
      });
  }

  /** One answer of each way, as far as they look different. */
  async function three() {
    const now = scene.work;
    const entry = now?.lastRepair;
    if (!entry || entry.restored || now.running || gallery.batch) return;
    const { chosen } = entry;
    let failed = false;
    for (const way of Object.keys(WAYS)) {
      const has = entry.answers.some((id) => wayOf(now.answers.get(id)?.method) === way);
      if (has || failed || now.lastRepair !== entry) continue;
      const answer = await different(now, (tried) => nextOfWay(way, filling.methods(), tried, wanted()));
      failed = answer === undefined;
    }
    if (now.lastRepair !== entry) return;
    now.choose(chosen); // what was there stays on the stage until somebody takes another
    say(tr`${entry.answers.length} answers`);
  }

  /** Stop what runs, for this picture or for all of them. */
  function cancel() {
    gallery.batch?.abort();
    scene.work?.running?.abort(new DOMException("cancelled", "AbortError"));
  }

  function undo(redo = false) {
    const now = scene.work;
    if (!now || now.mask.isOpen) return;
    if (now.running) {
      now.running.abort(new DOMException("cancelled", "AbortError"));
      return;
    }
    const entry = redo ? now.redo() : now.undo();
    if (!entry) cropping.undo(redo);
    else say(`${redo ? tr("Redone") : tr("Undone")}: ${stepName(entry.label)}`);
  }

  function clearMask() {
    const now = scene.work;
    if (!now || now.mask.isOpen || now.mask.isEmpty()) return;
    now.mask.begin();
    now.mask.unmark(now.mask.snapshot());
    now.push({ kind: "paint", label: "clear", clears: true, difference: now.mask.commit() });
    say(tr("Mask cleared"));
  }

  /** @param {File | undefined} file @param {Record<string, boolean>} [meant] what was asked about and is so */
  async function importMask(file, meant = {}) {
    const now = scene.work;
    if (!now || !file) return;
    const result = await attempt(
      () => layMask(now, { mask: file, ...meant }, "import mask"),
      (consent) => importMask(file, { ...meant, [consent]: true }),
    );
    if (!result) return;
    for (const note of result.notes) notice(note, { seconds: 6 });
    if (!result.isNew) notice(tr("the mask marks nothing new"), { remedy: tr("white marks what to repair, black what stays") });
  }

  async function exportMask() {
    const { mask, record } = scene.work;
    const png = await maskPng(mask.width, mask.height, (row) => mask.eachSpan(row));
    save(png, `${record.name.replace(/\.[^.]+$/, "")}.mask.png`);
  }

  async function download() {
    const now = scene.work;
    if (!now?.isMade) return;
    $("download").disabled = true;
    await attempt(async () => {
      const { name, blob } = await finished(now);
      save(blob, name);
      say(tr`${name} downloaded`);
    });
  }

  return { find, lookHarder, repair, another, three, cancel, undo, clearMask, importMask, exportMask, download };
}
