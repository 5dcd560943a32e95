// The answers to the last repair, side by side.

import { tr } from "./words.js";

const PAD = 0.35; // of the hole's size, seen round it

/**
 * What part of the picture an answer's thumbnail shows: the hole with its surroundings, 4 : 3.
 * @param {import("./mask.js").Rect} hole @param {{width: number, height: number}} picture
 */
export function cropFor(hole, picture) {
  let width = Math.max(96, (hole.right - hole.left) * (1 + 2 * PAD));
  let height = Math.max(72, (hole.bottom - hole.top) * (1 + 2 * PAD));
  if (width * 3 > height * 4) height = (width * 3) / 4;
  else width = (height * 4) / 3;
  width = Math.min(width, picture.width);
  height = Math.min(height, picture.height);
  const clamp = (value, high) => Math.min(Math.max(0, value), high);
  const left = clamp((hole.left + hole.right - width) / 2, picture.width - width);
  const top = clamp((hole.top + hole.bottom - height) / 2, picture.height - height);
  return { left, top, right: left + width, bottom: top + height };
}

export class AnswerList {
  /** @param {HTMLElement} place @param {(id: string) => void} choose */
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    /** @type {string[]} addresses of thumbnails, given back when they are replaced */
    this.urls = [];
    place.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = [...place.children];
      const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
      next?.focus();
      next?.click();
    });
  }

  /** @param {(import("./work.js").Answer & {title: string})[]} answers @param {string} chosen */
  show(answers, chosen) {
    const focused = this.place.contains(document.activeElement);
    for (const url of this.urls.splice(0)) URL.revokeObjectURL(url);
    this.place.replaceChildren(...answers.map((answer) => this.#card(answer, answer.id === chosen)));
    if (focused) this.place.querySelector("[aria-checked=true]")?.focus();
  }

  #card(answer, isChosen) {
    const card = document.createElement("button");
    card.type = "button";
    card.className = "answer";
    card.setAttribute("role", "radio");
    card.setAttribute("aria-checked", String(isChosen));
    card.tabIndex = isChosen ? 0 : -1;
    if (answer.thumb) {
      const image = document.createElement("img");
      image.alt = "";
      image.src = URL.createObjectURL(answer.thumb);
      this.urls.push(image.src);
      card.append(image);
    } else {
      const blank = document.createElement("span");
      blank.className = "blank";
      card.append(blank);
    }
    const what = document.createElement("span");
    what.className = "what";
    const name = document.createElement("b");
    name.textContent = answer.title;
    const how = document.createElement("span");
    how.className = "how";
    how.textContent = tr`${answer.method}, ${answer.quality}, seed ${answer.seed}`;
    what.append(name, how);
    const fillers = (answer.fillers ?? []).filter((filler) => filler !== answer.method);
    card.title = fillers.length ? tr`filled by ${fillers.join(", ")}; ${answer.seconds.toFixed(1)} s` : `${answer.seconds.toFixed(1)} s`;
    card.append(what);
    card.addEventListener("click", () => this.choose(answer.id));
    return card;
  }
}
