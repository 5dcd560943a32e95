// The page's words. English stands where it is used, and is the key of every other language's table.

import zh from "../lang/zh.js";

const TABLES = { zh };
const KEY = "remend-language";

function chosen() {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept) return kept;
  } catch {
    // Then the browser's own language counts.
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const language = chosen();
const table = TABLES[language] ?? {};

/**
 * Words in the page's language: `tr("Undo")`, or with values `` tr`${n} pictures opened` ``, whose key is
 * "{0} pictures opened". What the table does not know stays as it is.
 * @param {string | TemplateStringsArray} text @param {any[]} values @returns {string}
 */
export function tr(text, ...values) {
  const key = typeof text === "string" ? text : text.reduce((sum, part, n) => `${sum}{${n - 1}}${part}`);
  return (table[key] ?? key).replace(/\{(\d)\}/g, (whole, n) => (n in values ? values[n] : whole));
}

/** Errors as patterns of what they say, and what they become; only for who reads them. @type {[RegExp, string][]} */
const errors =
  language === "zh" ? (await import("../lang/errors.js")).default.map(([pattern, words]) => [new RegExp(pattern, "s"), words]) : [];

/**
 * What the server says of one case in particular, in the page's language; the values in it, too, where they are
 * such lines themselves. A line that the table does not know stays as it is.
 * @param {string} text @returns {string}
 */
export function trError(text) {
  for (const [pattern, words] of errors) {
    const found = pattern.exec(text);
    if (found) return words.replace(/\{(\d)\}/g, (_, n) => trError(found.groups[`v${n}`]));
  }
  return text;
}

/** The other language, from the next moment on. */
export function switchLanguage() {
  localStorage.setItem(KEY, language === "zh" ? "en" : "zh");
  location.reload();
}

/** Bring the document's own words to the language, before anybody works with it. */
export function translatePage() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  if (language === "en") return;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const words = node.data.trim().replace(/\s+/g, " ");
    if (words) node.data = node.data.replace(node.data.trim(), tr(words));
  }
  for (const name of ["title", "aria-label", "placeholder"])
    for (const element of document.querySelectorAll(`[${name}]`)) element.setAttribute(name, tr(element.getAttribute(name)));
}
