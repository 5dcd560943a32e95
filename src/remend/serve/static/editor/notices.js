// What the page has to say: short notices that people see, and the live region that screen readers hear.

import { tr } from "./words.js";

const place = document.getElementById("notices");
const live = document.getElementById("live");

/** Say something to screen readers only. @param {string} text */
export function say(text) {
  live.textContent = "";
  requestAnimationFrame(() => {
    live.textContent = text;
  });
}

/**
 * Show a notice.
 * @param {string} text
 * @param {{remedy?: string, bad?: boolean, seconds?: number, key?: string,
 *   action?: {label: string, run: () => void}, closed?: () => void}} [options]
 *   `key`: a further notice with the same key replaces this one
 */
export function notice(text, { remedy = "", bad = false, seconds = bad ? 14 : 7, key = text, action, closed } = {}) {
  for (const old of place.children) if (old.dataset.key === key) old.remove();
  const box = document.createElement("div");
  box.className = bad ? "notice bad" : "notice";
  box.dataset.key = key;
  box.setAttribute("role", bad ? "alert" : "status");
  const words = document.createElement("div");
  const first = document.createElement("p");
  first.textContent = sentence(text);
  words.append(first);
  if (remedy) {
    const second = document.createElement("p");
    second.className = "remedy";
    second.textContent = sentence(remedy);
    words.append(second);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon close";
  close.setAttribute("aria-label", tr("Close this message"));
  close.append(icon("cross"));
  box.append(words, close);
  let timer = 0;
  const end = () => {
    clearTimeout(timer);
    if (!box.isConnected) return;
    box.remove();
    closed?.();
  };
  close.addEventListener("click", end);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link act";
    button.textContent = action.label;
    button.addEventListener("click", () => {
      closed = undefined;
      end();
      action.run();
    });
    box.append(button);
  }
  // Whoever reads it or holds the pointer over it has all the time they need.
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (box.matches(":hover, :focus-within") ? wait() : end()), seconds * 1000);
  };
  wait();
  place.append(box);
  makeRoom();
}

const LEAST_PX = 240; // high, for a picture with its controls and a message between them

/** The oldest go where there is no room for them: they would cover what is worked with. */
function makeRoom() {
  while (place.children.length > most()) place.querySelector(".close").click();
}

/** A panel may open beside the picture: what was only told goes, what asks or is wrong stays. */
new ResizeObserver(([{ target }]) => {
  makeRoom();
  if (!target.clientHeight || target.clientHeight >= LEAST_PX) return;
  for (const box of [...place.children]) if (!box.matches(".bad, :has(.act)")) box.querySelector(".close").click();
}).observe(document.querySelector(".stage-frame"));

/** How many there is room for above the stage's controls, below its middle. */
function most() {
  const frame = place.parentElement === document.body ? null : place.parentElement;
  return frame ? Math.min(3, Math.max(1, Math.floor((frame.clientHeight / 2 - 90) / 90))) : 3;
}

/** Tell of a fault, whatever it is. @param {any} error */
export function tell(error) {
  if (error?.name === "AbortError") return;
  console.debug(error);
  notice(error?.message || String(error), { remedy: error?.remedy, bad: true });
}

/** What the server does only when it is told so, as a question and as the answer yes. */
const QUESTIONS = {
  tolerate: [tr("open what is there, and mark what is missing as damage?"), tr("Open what is there")],
  yes: [tr("white marks what to repair; is that meant?"), tr("It is meant")],
  resize_mask: [tr("bring it to the picture's size?"), tr("Resize it")],
};

/** Ask instead of telling. @param {string} text @param {keyof QUESTIONS} consent @param {() => void} run if yes */
export function ask(text, consent, run) {
  const [question, label] = QUESTIONS[consent];
  notice(text, { remedy: question, bad: true, seconds: 60, action: { label, run } });
}

/** @param {string} name of a symbol in index.html */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** The library's messages are one line without capitals; on a page they are sentences. */
function sentence(text) {
  const isName = /^\S*\.[a-z0-9]{2,5}[ :]/i.test(text); // a file's name is written as it is
  const capital = isName ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
