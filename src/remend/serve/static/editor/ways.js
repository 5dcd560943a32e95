// The ways in which a hole can be filled, by what a person sees of them, and which to ask for next.

import { tr } from "./words.js";

/** @typedef {{method: string, quality: string, seed: number}} Asked */

/** Each way's methods, the best first. */
export const WAYS = {
  smooth: ["smooth", "biharmonic", "navier-stokes", "telea"],
  textured: ["quilt", "exemplar", "criminisi"],
  redrawn: ["neural", "neural-exemplar", "neural-thin", "neural-views", "neural-exemplar-views", "neural-thin-views"],
};
const NAMES = { auto: tr("Automatic"), smooth: tr("Smooth"), textured: tr("Textured"), redrawn: tr("Redrawn") };
const SEEDS = 3; // of a method, asked for one after the other

/** @param {string} method @returns {string | null} */
export const wayOf = (method) =>
  method === "auto" ? "auto" : (Object.keys(WAYS).find((way) => WAYS[way].includes(method)) ?? null);

/** What a person calls an answer. @param {string} method */
export const nameOfWay = (method) => NAMES[wayOf(method)] ?? method;

const isSame = (one, two) => one.method === two.method && one.quality === two.quality && one.seed === two.seed;

/** What a repair was asked for, answers that were none of their own included. @param {any} entry @param {Map<string, any>} answers */
export const triedFor = (entry, answers) => [
  ...entry.answers.map((id) => answers.get(id)).filter(Boolean),
  ...(entry.tried ?? []),
];

/**
 * What is worth asking for after what was tried: first as it is preferred now, then a way that has not
 * answered, then every other method, then other seeds.
 * @param {string[]} methods that the server has @param {Asked[]} tried @param {Asked} wanted as it is preferred now
 * @returns {Asked | null} null: everything was asked for
 */
export function nextAsked(methods, tried, wanted) {
  const { quality } = wanted;
  const as = (method, seed = 0) => ({ method, quality, seed });
  const asked = new Set(tried.map((one) => wayOf(one.method)));
  const open = Object.keys(WAYS).filter((way) => !asked.has(way));
  const known = Object.values(WAYS).flat();
  const candidates = [
    as(wanted.method),
    ...["textured", "redrawn", "smooth"].filter((way) => open.includes(way)).flatMap((way) => WAYS[way].map((method) => as(method))),
    ...[...known, ...methods.filter((method) => !known.includes(method))].map((method) => as(method)),
  ];
  for (let seed = 1; seed <= SEEDS; seed++) candidates.push(as(wanted.method, seed));
  return candidates.find((one) => methods.includes(one.method) && !tried.some((other) => isSame(one, other))) ?? null;
}

/**
 * The next method of a way.
 * @param {string} way @param {string[]} methods @param {Asked[]} tried @param {Asked} wanted @returns {Asked | null}
 */
export function nextOfWay(way, methods, tried, { quality }) {
  const asked = WAYS[way].map((method) => ({ method, quality, seed: 0 }));
  return asked.find((one) => methods.includes(one.method) && !tried.some((other) => isSame(one, other))) ?? null;
}
