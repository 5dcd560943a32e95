// What Find damage saw, and which of it is marked. The server tells all that might be damage, once; the page
// sifts it. A region counts when it is as sure as the sensitivity asks and its kind is switched on, unless the
// user has decided on it by hand. What was painted or erased by hand, sifting leaves alone.

import { Mask } from "./mask.js";
import { HARDEST } from "./settings.js";

/**
 * @typedef {{kind: string, confidence: number, box: number[], pixels: number, runs: number[]}} Found
 * @typedef {Found & {id: number, decided: boolean | null, shown: boolean, kept: boolean}} Region
 *   `decided`: what the user said of it; `shown`: it is listed; `kept`: it is in the mask
 * @typedef {{sensitivity: number, off: string[]}} Sieve `off`: kinds that are switched off
 * @typedef {{search: import("./work.js").Entry | null, sieve: Sieve | null, regions: Region[]}} Sifted
 */

export const LETTERING = ["text", "watermark"]; // it belongs to the picture until it is switched on
const STEPS = [0.6, 0.7, 0.8, 0.9, HARDEST];
const SLACK = 1e-9; // 1 - 0.98 is a little more than 0.02

/** @type {Sifted} before anything was looked for */
export const NOTHING = { search: null, sieve: null, regions: [] };

/** How things stand after a step of the history. @param {Sifted} sifted @param {import("./work.js").Entry} step */
export function after(sifted, step) {
  if (step.kind === "repair") return step.restored ? sifted : NOTHING;
  if (step.kind === "found") {
    const sieve = step.sieve ?? { sensitivity: 1, off: [] };
    return settled({ search: step, sieve, regions: step.regions.map((region, id) => ({ ...region, id, decided: null })) });
  }
  if (step.kind === "sift") {
    const turned = { ...sifted, sieve: step.sieve };
    return settled(turned, (region) => (region.kind === step.reset ? null : region.decided));
  }
  if (step.kind === "keep") {
    const ids = new Set(step.ids);
    return settled(sifted, (region) => (ids.has(region.id) ? (step.kept ?? !region.kept) : region.decided));
  }
  return step.clears && sifted.search ? settled(sifted, (region) => (region.kept ? false : region.decided)) : sifted;
}

function settled({ search, sieve, regions }, decide = (region) => region.decided) {
  const least = 1 - sieve.sensitivity - SLACK;
  return {
    search,
    sieve,
    regions: regions.map((region) => {
      const decided = decide(region);
      const isSure = region.confidence >= least;
      const kept = decided ?? (isSure && !sieve.off.includes(region.kind));
      return { ...region, decided, shown: isSure || decided !== null, kept };
    }),
  };
}

/** The next step of sensitivity at which something shows that does not now. @param {Sifted} sifted @returns {number | null} */
export function harderThan({ sieve, regions }) {
  const hidden = regions.filter((region) => !region.shown && !sieve.off.includes(region.kind));
  if (!hidden.length) return null;
  const surest = Math.max(...hidden.map((region) => region.confidence));
  return STEPS.find((step) => step > sieve.sensitivity && surest >= 1 - step - SLACK) ?? HARDEST;
}

/**
 * Bring the mask from one state to another, inside an open change.
 * @param {Mask} mask @param {Mask} hand where the user has the last word
 * @param {Sifted} from @param {Sifted} to @param {boolean} whole regions come whole, even where they were erased
 */
export function sift(mask, hand, from, to, whole) {
  const isSame = from.search === to.search;
  const gone = from.regions.filter((region) => region.kept && !(isSame && to.regions[region.id].kept));
  const come = to.regions.filter((region) => region.kept && !(isSame && from.regions[region.id].kept));
  const isFree = hand.isEmpty();
  const fill = (region, value, everything = isFree) =>
    eachRegionSpan(region, (y, left, right) => {
      if (everything) mask.fill(y, left, right, value);
      else hand.eachGap(y, left, right, (a, b) => mask.fill(y, a, b, value));
    });
  for (const region of gone) fill(region, 0);
  if (gone.length && isSame) {
    // What a region shares with one that stays, stays.
    const stay = to.regions.filter((region) => region.kept && from.regions[region.id].kept);
    for (const region of stay) if (gone.some(({ box }) => overlap(box, region.box))) fill(region, 1);
  }
  for (const region of come) fill(region, 1, isFree || whole);
  for (const { box } of [...gone, ...come]) mask.refresh(rectOfBox(box));
}

/**
 * Where the user has the last word: painted since the last repair, or erased since damage was found.
 * @param {import("./work.js").Entry[]} past @param {number} width @param {number} height @returns {Mask}
 */
export function handIn(past, width, height) {
  const search = past.findLastIndex((entry) => entry.kind === "found");
  let hand = new Mask(width, height);
  hand.begin();
  for (let at = past.findLastIndex((entry) => entry.kind === "repair" && !entry.restored) + 1; at < past.length; at++) {
    const entry = past[at];
    if (entry.kind === "paint" && entry.clears) {
      hand = new Mask(width, height);
      hand.begin();
    } else if (entry.kind === "paint") {
      const over = entry.hand ?? entry.difference;
      entry.erased && at < search ? hand.unmark(over) : hand.mark(over);
    } else if (entry.kind === "keep" && entry.kept && at > search) {
      for (const id of entry.ids) {
        const region = past[search].regions[id];
        eachRegionSpan(region, (y, from, to) => hand.fill(y, from, to, 0));
        hand.refresh(rectOfBox(region.box));
      }
    }
  }
  hand.commit();
  return hand;
}

const rectOfBox = ([left, top, right, bottom]) => ({ left, top, right, bottom });

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
