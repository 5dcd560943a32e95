// What a search came to, in words, where it marks nothing: and what can be done then.

import { tr } from "./words.js";

const NATURES = {
  document: tr("a document"),
  graphic: tr("a drawing or a screenshot"),
  halftone: tr("a printed picture, made of dots"),
  engraving: tr("an engraving"),
};

/**
 * @param {import("./work.js").Work} work
 * @returns {{text: string, harder: boolean, force: boolean} | null} null when something is marked, or may be
 */
export function verdictOn(work) {
  const { search, sieve, regions } = work.sifted;
  if (!search || regions.some((region) => region.kept || (region.shown && !sieve.off.includes(region.kind)))) return null;
  const nature = search.nature ?? "photograph";
  if (nature !== "photograph" && !search.forced) {
    const what = NATURES[nature] ?? nature;
    return { text: tr`This looks like ${what}, not a photograph: it was left as it is.`, harder: false, force: true };
  }
  const none = work.answer ? tr("No further damage was found") : tr("No damage was found");
  if (work.harder === null)
    return { text: tr`${none}, not even at the highest sensitivity. Paint over what should go.`, harder: false, force: false };
  const percent = Math.round(100 * sieve.sensitivity);
  return { text: tr`${none} at a sensitivity of ${percent} %, but there are fainter signs.`, harder: true, force: false };
}
