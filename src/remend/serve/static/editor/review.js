// Several pictures: all of them repaired in one go, then accepted or rejected one by one.

import { zip } from "./bytes.js";
import { $ } from "./elements.js";
import { notice, say, tell } from "./notices.js";
import { finished, save } from "./pictures.js";
import { findDamage, repairMarked, wordsFor } from "./repairs.js";
import { wanted } from "./settings.js";
import { tr } from "./words.js";

/** Whether a picture goes into the ZIP. */
export const counts = ({ state, clean, repaired }) => state === "accepted" || (Boolean(clean) && !repaired && state !== "rejected");

/**
 * @param {{scene: import("./scene.js").Scene, gallery: import("./gallery.js").Gallery,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>,
 *   session: ReturnType<typeof import("./session.js").editingSession>}} parts
 */
export function galleryReview({ scene, gallery, display, session }) {
  /** Decide on the picture on the stage, and go on to the next undecided one. @param {"accepted" | "rejected"} state */
  function decide(state) {
    const now = scene.work;
    if (!now || gallery.records.length < 2 || !(now.isMade || now.record.clean)) return;
    const next = now.record.state === state ? "" : state;
    now.note({ state: next });
    now.share();
    say(next ? `${now.record.name}: ${tr(next)}` : tr`${now.record.name}: undecided`);
    display.refresh();
    scene.refresh().catch(tell);
    if (!next) return;
    const { records } = gallery;
    const at = records.indexOf(now.record);
    const open = [...records.slice(at + 1), ...records.slice(0, at)].find((record) => record.repaired && !record.state);
    if (open) session.go(open.id);
  }

  /** Find and repair in every picture that has no answer yet, or marks that wait for one; one that fails never stops the rest. */
  async function repairAll() {
    if (gallery.batch) {
      gallery.batch.abort();
      return;
    }
    if (scene.work?.running) return;
    const batch = new AbortController();
    gallery.batch = batch;
    let work = null;
    batch.signal.addEventListener("abort", () => work?.running?.abort(new DOMException("cancelled", "AbortError")));
    const tried = new Set();
    // Asked anew each time: some may still be opening when it begins.
    const waiting = () =>
      gallery.records.filter(
        (record) => !tried.has(record.id) && (!record.repaired || record.marked) && record.state !== "rejected",
      );
    const tally = { repaired: 0, clean: 0, failed: 0 };
    for (let left = waiting(); left.length && !batch.signal.aborted; left = waiting()) {
      const [record] = left;
      for (const one of left) if (!gallery.passing.has(one.id)) gallery.pass(one.id, "waiting");
      tried.add(record.id);
      gallery.pass(record.id, "running");
      display.refresh();
      const step = (job) => {
        display.progress(job);
        $("progress-text").textContent = `${tried.size} / ${tried.size + waiting().length}: ${wordsFor(job)}`;
      };
      try {
        work = await gallery.work(record.id);
        if (work.mask.isEmpty()) await findDamage(work, wanted(), step);
        if (work.mask.isEmpty()) {
          work.note({ clean: true });
          gallery.pass(record.id, "");
          tally.clean++;
          continue;
        }
        await repairMarked(work, wanted(), step);
        work.note({ repaired: true });
        gallery.pass(record.id, "");
        tally.repaired++;
      } catch (error) {
        if (error?.name === "AbortError") break;
        gallery.pass(record.id, "failed");
        tally.failed++;
        tell(error);
      }
    }
    for (const [id, state] of [...gallery.passing]) if (state === "waiting" || state === "running") gallery.pass(id, "");
    gallery.batch = null;
    display.refresh();
    const parts = [tr`${tally.repaired} repaired`];
    if (tally.clean) parts.push(tr`${tally.clean} without damage`);
    if (tally.failed) parts.push(tr`${tally.failed} failed`);
    notice(`${batch.signal.aborted ? tr("Stopped: ") : ""}${parts.join(", ")}`, {
      remedy: tally.repaired ? tr("look at each: accept with A, reject with X") : "",
    });
  }

  /** The accepted pictures, and those that nothing was found in, as one ZIP with the folders they came in. */
  async function downloadAll() {
    const files = [];
    await display.attempt(async () => {
      $("download-all").disabled = true;
      for (const record of gallery.records.filter(counts)) {
        const { name, blob } = await finished(await gallery.work(record.id));
        const place = record.folder ? `${record.folder}/${name}` : name;
        const taken = files.filter((file) => file.original === place).length;
        files.push({ original: place, name: taken ? place.replace(/(\.[^./]*)?$/, `-${taken + 1}$1`) : place, blob });
      }
      save(await zip(files), "remend.zip");
    });
  }

  return { decide, repairAll, downloadAll };
}
