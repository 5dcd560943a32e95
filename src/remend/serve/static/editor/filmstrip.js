// Several pictures: one thumbnail each, with what became of it.

import { icon } from "./notices.js";
import { tr } from "./words.js";

const STATES = {
  accepted: tr("accepted"), rejected: tr("rejected"), failed: tr("failed"), repaired: tr("repaired"), waiting: tr("waiting"),
  running: tr("being repaired"), clean: tr("nothing found"),
  marked: tr("marked"),
};

export class Filmstrip {
  /** @param {HTMLElement} place a list @param {(id: string) => void} choose */
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    /** @type {Map<string, {item: HTMLLIElement, blob: Blob | null}>} */
    this.items = new Map();
  }

  /**
   * @param {{id: string, name: string, thumb: Blob | null, state: string}[]} pictures
   * @param {string | null} current
   */
  show(pictures, current) {
    for (const [id, { item }] of this.items) {
      if (pictures.some((picture) => picture.id === id)) continue;
      this.#release(item);
      item.remove();
      this.items.delete(id);
    }
    pictures.forEach((picture, n) => {
      let known = this.items.get(picture.id);
      if (!known) this.items.set(picture.id, (known = { item: this.#item(picture), blob: null }));
      const { item } = known;
      if (this.place.children[n] !== item) this.place.insertBefore(item, this.place.children[n] ?? null);
      const button = item.firstElementChild;
      if (known.blob !== picture.thumb && picture.thumb) {
        this.#release(item);
        item.querySelector("img").src = URL.createObjectURL(picture.thumb);
        known.blob = picture.thumb;
      }
      const isCurrent = picture.id === current;
      if (isCurrent && button.getAttribute("aria-current") !== "true") item.scrollIntoView({ inline: "nearest", block: "nearest" });
      if (isCurrent) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      item.dataset.state = picture.state;
      const said = STATES[picture.state];
      button.setAttribute("aria-label", said ? `${picture.name}, ${said}` : picture.name);
      button.title = said ? `${picture.name}: ${said}` : picture.name;
      this.#badge(item, picture.state);
    });
  }

  #item(picture) {
    const item = document.createElement("li");
    item.className = "thumb-item";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "thumb";
    const image = document.createElement("img");
    image.alt = "";
    button.append(image);
    button.addEventListener("click", () => this.choose(picture.id));
    item.append(button);
    return item;
  }

  #badge(item, state) {
    if (item.querySelector(".badge")?.dataset.state === state) return;
    item.querySelector(".badge")?.remove();
    const symbols = { accepted: "check", rejected: "cross", failed: "cross", repaired: "mend" };
    const words = { waiting: "…", running: "…", clean: "✓", marked: "●" };
    if (!symbols[state] && !words[state]) return;
    const badge = document.createElement("span");
    badge.className = `badge ${state}`;
    badge.dataset.state = state;
    badge.setAttribute("aria-hidden", "true");
    badge.append(symbols[state] ? icon(symbols[state]) : words[state]);
    item.append(badge);
  }

  #release(item) {
    const { src } = item.querySelector("img");
    if (src) URL.revokeObjectURL(src);
  }
}
