// What the user prefers, kept in this browser.

import { $ } from "./elements.js";
import { tr } from "./words.js";

const KEY = "remend-settings";

export const COLOURS = ["#ff2d7a", "#00c2a8", "#4d7cff", "#ffd000"];

export const HARDEST = 0.98; // beyond, all is damage; the server is asked for it once, and the page sifts

// What is an option has its default from the server, which writes it into the page.
const option = (id) => $(id).dataset.default;
const DEFAULTS = {
  method: option("method"),
  quality: option("qualities"),
  sensitivity: Number(option("sensitivity")),
  auto: false,
  rims: true,
  feather: 0,
  colour: 0,
  singleKeys: true,
};

/** @returns {typeof DEFAULTS} */
function read() {
  try {
    const kept = { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
    return { ...kept, sensitivity: Math.min(HARDEST, kept.sensitivity) };
  } catch {
    return { ...DEFAULTS }; // forbidden or damaged storage: the defaults serve
  }
}

export const settings = read();

/** @param {Partial<typeof DEFAULTS>} changes */
export function prefer(changes) {
  Object.assign(settings, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // They hold until the page is closed.
  }
}

/** What a job is asked for, as it is preferred now. @returns {import("./repairs.js").Settings} */
export function wanted(more = {}) {
  const { method, quality, sensitivity, feather } = settings;
  return { method, quality, sensitivity, feather, seed: 0, ...more };
}

const THEMES = ["", "light", "dark"]; // "" follows the system

/** The next theme. @returns {string} its name */
export function nextTheme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "") + 1) % THEMES.length];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  try {
    localStorage.setItem("remend-theme", next);
  } catch {
    // It holds until the page is closed.
  }
  return tr(next || "as the system");
}
