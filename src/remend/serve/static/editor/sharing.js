// One mask for many pictures: what is marked on this one is marked on all others, scaled where they differ in size.

import { $ } from "./elements.js";
import { notice } from "./notices.js";
import { repairedMask } from "./repairs.js";
import { tr } from "./words.js";

/**
 * @param {{scene: import("./scene.js").Scene, gallery: import("./gallery.js").Gallery,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>,
 *   review: ReturnType<typeof import("./review.js").galleryReview>}} parts
 */
export function maskSharing({ scene, gallery, display, review }) {
  /** What is marked, or, where all of it is repaired, what was. @param {import("./work.js").Work} work */
  const stencilOf = (work) => (work.mask.isEmpty() ? repairedMask(work) : work.mask);

  async function share() {
    const now = scene.work;
    if (!now || now.running || now.mask.isOpen || gallery.batch) return;
    const stencil = stencilOf(now);
    if (stencil.isEmpty()) {
      notice(tr("nothing is marked yet"), { remedy: tr("paint over what should go"), key: "empty" });
      return;
    }
    const tally = { marked: 0, scaled: 0 };
    for (const record of gallery.records.filter((one) => one !== now.record && one.state !== "rejected")) {
      const work = await gallery.work(record.id);
      if (work.running) continue;
      await work.mask.settled();
      if (!lay(stencil, work)) continue;
      tally.marked++;
      if (record.width !== stencil.width || record.height !== stencil.height) tally.scaled++;
    }
    display.refresh();
    const scaled = tally.scaled ? tr`${tally.scaled} of another size: the marks were scaled to theirs; ` : "";
    notice(tally.marked ? tr`marked on ${tally.marked} more pictures` : tr("the other pictures are marked there already"), {
      remedy: tally.marked ? scaled + tr("undo takes them back, picture by picture") : "",
      key: "shared",
      seconds: 12,
      action: tally.marked ? { label: tr("Repair all"), run: review.repairAll } : undefined,
    });
  }

  function show() {
    const now = scene.work;
    $("mask-share").hidden = gallery.records.length < 2;
    $("mask-share").disabled = !now || gallery.batch !== null || (now.mask.isEmpty() && !now.answer);
  }

  display.onRefresh(show);
  gallery.addEventListener("change", show); // further pictures may come
  return { share };
}

/**
 * Lay a mask into a picture's own, as one step.
 * @param {import("./mask.js").Mask} stencil of any size @param {import("./work.js").Work} work
 * @returns {boolean} whether anything came of it
 */
function lay(stencil, work) {
  const { mask } = work;
  const across = mask.width / stencil.width;
  const down = mask.height / stencil.height;
  mask.begin({ traced: true });
  stencil.eachSpan((y, from, to) => {
    const end = Math.ceil((y + 1) * down);
    for (let row = Math.floor(y * down); row < end; row++) mask.fill(row, Math.floor(from * across), Math.ceil(to * across), 1);
  });
  mask.refresh({ left: 0, top: 0, right: mask.width, bottom: mask.height });
  const hand = mask.traced();
  return work.paint({ difference: mask.commit(), hand, label: "marks of another picture", erased: false });
}
