// Marks on the picture: what was painted goes into the history, found damage is pointed at and picked.

import { notice } from "./notices.js";
import { drawRegions, regionAt } from "./regions.js";
import { eachResized, objectUnder } from "./selecting.js";
import { settings } from "./settings.js";
import { tr } from "./words.js";

const SLACK = 4; // screen pixels by which a region may be missed

/**
 * @param {{stage: import("./stage.js").Stage, easel: import("./easel.js").Easel,
 *   scene: import("./scene.js").Scene, regionList: import("./regions.js").RegionList,
 *   actions: ReturnType<typeof import("./actions.js").pictureActions>,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>}} parts
 */
export function pictureMarking({ stage, easel, scene, regionList, actions, display }) {
  let pointed = null;

  /** @param {number | null} id of the region whose name is shown on the picture */
  function pointAt(id) {
    if (id === pointed) return;
    pointed = id;
    stage.redraw();
  }

  const regionUnder = (point) => regionAt(scene.work.regions, point, SLACK / stage.view.scale);

  easel.addEventListener("painted", ({ detail: { difference, hand, label, erased } }) => {
    if (!scene.work.paint({ difference, hand, label, erased })) return;
    if (settings.auto && !erased) actions.repair();
  });
  easel.addEventListener("select", async ({ detail: { marks, erased } }) => {
    const now = scene.work;
    const found = await display.attempt(() => objectUnder(stage.original, marks, now.mask, stage.view.scale));
    if (!found || now !== scene.work) return;
    await now.mask.settled();
    if (lay(now, found, erased ? 0 : 1, "select") && settings.auto && !erased) actions.repair();
  });
  easel.addEventListener("pick", ({ detail: point }) => {
    const region = regionUnder(point);
    if (region) scene.work.keep([region.id], !region.kept);
    else if (!scene.work.search)
      notice(tr("nothing was found yet to pick from"), { action: { label: tr("Find damage"), run: () => actions.find() } });
  });
  easel.addEventListener("hover", () => {
    if (easel.tool !== "pick" || !scene.work) return;
    const { place } = easel;
    const { view } = stage;
    const point = place && { x: (place.x - view.x) / view.scale, y: (place.y - view.y) / view.scale };
    const id = point ? (regionUnder(point)?.id ?? null) : null;
    if (id !== pointed) {
      pointAt(id);
      regionList.mark(id);
    }
  });
  easel.addEventListener("tool", () => {
    pointAt(null);
    regionList.mark(null);
  });
  stage.above.push((context, view) => {
    const { regions } = scene.work ?? {};
    if (regions?.length) drawRegions(context, view, regions, { all: easel.tool === "pick", pointed });
  });

  /** Lay runs of pixels into the mask, as one step. @returns {boolean} whether anything came of it */
  function lay(now, eachRun, value, label) {
    const { mask } = now;
    mask.begin({ traced: true });
    eachRun((y, from, to) => mask.fill(y, from, to, value));
    mask.refresh({ left: 0, top: 0, right: mask.width, bottom: mask.height });
    const hand = mask.traced();
    return now.paint({ difference: mask.commit(), hand, label, erased: value === 0 });
  }

  /** The mask, wider or narrower by so many pixels. @param {number} by picture pixels, negative: narrower */
  function resize(by) {
    const now = scene.work;
    if (!now || now.mask.isOpen || now.mask.isEmpty()) return;
    lay(now, (row) => eachResized(now.mask, by, row), by > 0 ? 1 : 0, by > 0 ? "grow" : "shrink");
  }

  return { pointAt, resize };
}
