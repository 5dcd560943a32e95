// What Find damage saw: a list by kind, and outlines on the picture.

import { tr } from "./words.js";

const ORDER = ["scratch", "crack", "dust", "stain", "hole", "text", "watermark"];
const PLURALS = {
  scratch: tr("scratches"), crack: tr("cracks"), dust: tr("specks of dust"), stain: tr("stains"), hole: tr("holes"),
  text: tr("dates and captions"), watermark: tr("watermarks and logos"),
};
const SINGULARS = {
  scratch: tr("scratch"), crack: tr("crack"), dust: tr("speck of dust"), stain: tr("stain"), hole: tr("hole"),
  text: tr("date or caption"), watermark: tr("watermark or logo"),
};

export const nameOf = (kind, count) =>
  count === 1 ? (SINGULARS[kind] ?? kind) : (PLURALS[kind] ?? `${kind}s`);

/** How many of each kind, in words. @param {{kind: string}[]} regions */
export function countsOf(regions) {
  const counts = new Map(ORDER.map((kind) => [kind, 0]));
  for (const { kind } of regions) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].filter(([, n]) => n).map(([kind, n]) => `${n} ${nameOf(kind, n)}`).join(", ");
}

export class RegionList {
  /**
   * @param {HTMLElement} place
   * @param {{keep: (ids: number[], kept: boolean) => void, switchKind: (kind: string, isOn: boolean) => void,
   *   point: (id: number | null) => void}} actions
   */
  constructor(place, actions) {
    this.place = place;
    this.actions = actions;
    /** @type {import("./work.js").Entry | null} */
    this.search = null;
    /** @type {KindGroup[]} */
    this.groups = [];
    place.addEventListener("pointerleave", () => actions.point(null));
    place.addEventListener("focusout", () => actions.point(null));
  }

  /** @param {import("./sieve.js").Sifted} sifted */
  show({ search, sieve, regions }) {
    if (search !== this.search) {
      this.search = search;
      const kinds = [...new Set(regions.map((region) => region.kind))];
      kinds.sort((one, two) => ORDER.indexOf(one) - ORDER.indexOf(two));
      const areFew = regions.filter((region) => region.shown).length <= 8;
      this.groups = kinds.map((kind) => new KindGroup(kind, this.actions, areFew && !sieve.off.includes(kind)));
      this.place.replaceChildren(...this.groups.map((group) => group.element));
    }
    for (const group of this.groups)
      group.show(
        regions.filter((region) => region.kind === group.kind),
        !sieve.off.includes(group.kind),
      );
  }

  /** Mark the line of the region under the pointer on the picture. @param {number | null} id */
  mark(id) {
    for (const line of this.place.querySelectorAll(".region"))
      line.classList.toggle("shown", line.dataset.id === String(id));
  }
}

/** One kind: how many there are, a switch for all of them, and, unfolded, each of them. */
class KindGroup {
  constructor(kind, actions, isOpen) {
    this.kind = kind;
    this.actions = actions;
    this.isOpen = isOpen;
    /** @type {Map<number, HTMLElement>} made when they are first unfolded: there may be thousands */
    this.lines = new Map();
    this.element = document.createElement("div");
    this.element.className = "kind";
    this.element.dataset.kind = kind;
    const all = document.createElement("label");
    all.className = "switch";
    this.all = document.createElement("input");
    this.all.type = "checkbox";
    this.all.setAttribute("role", "switch");
    this.all.addEventListener("change", () => actions.switchKind(kind, this.all.checked));
    this.title = document.createElement("span");
    all.append(this.all, this.title);
    this.toggle = document.createElement("button");
    this.toggle.type = "button";
    this.toggle.className = "kind-toggle";
    this.toggle.setAttribute("aria-label", tr`Each of the ${nameOf(kind, 2)}`);
    this.toggle.setAttribute("aria-controls", `regions-${kind}`);
    this.toggle.addEventListener("click", () => {
      this.isOpen = !this.isOpen;
      this.#unfold();
    });
    this.list = document.createElement("div");
    this.list.className = "region-list";
    this.list.id = `regions-${kind}`;
    const head = document.createElement("div");
    head.className = "kind-head";
    head.append(all, this.toggle);
    this.element.append(head, this.list);
  }

  /** @param {import("./sieve.js").Region[]} members @param {boolean} isOn */
  show(members, isOn) {
    this.members = members;
    const shown = members.filter((region) => region.shown);
    const kept = shown.filter((region) => region.kept).length;
    this.element.hidden = !shown.length;
    this.all.checked = isOn;
    const of = kept && kept < shown.length ? tr`${kept} of ` : "";
    this.title.textContent = `${of}${shown.length} ${nameOf(this.kind, shown.length)}${kept ? "" : tr(", left")}`;
    this.#unfold();
  }

  #unfold() {
    this.toggle.setAttribute("aria-expanded", String(this.isOpen));
    this.list.hidden = !this.isOpen;
    if (!this.isOpen) return;
    this.members.forEach((region, n) => {
      let line = this.lines.get(region.id);
      if (!line) {
        if (!region.shown) return;
        line = this.#line(region, n + 1);
        this.lines.set(region.id, line);
        this.list.append(line);
      }
      line.hidden = !region.shown;
      line.querySelector("input").checked = region.kept;
      line.querySelector(".name").classList.toggle("dropped", region.decided === false);
    });
  }

  #line(region, number) {
    const line = document.createElement("label");
    line.className = "region";
    line.dataset.id = String(region.id);
    const box = document.createElement("input");
    box.type = "checkbox";
    box.addEventListener("change", () => this.actions.keep([region.id], box.checked));
    const name = document.createElement("span");
    name.className = "name";
    const text = `${nameOf(this.kind, 1)} ${number}`;
    name.textContent = text.charAt(0).toUpperCase() + text.slice(1);
    const percent = `${Math.round(100 * region.confidence)} %`;
    const sure = document.createElement("span");
    sure.className = "sure";
    sure.title = tr("How sure it is");
    const meter = document.createElement("span");
    meter.className = "meter";
    meter.setAttribute("aria-hidden", "true");
    const fill = document.createElement("i");
    fill.style.width = percent.replace(" ", "");
    meter.append(fill);
    sure.append(meter, percent);
    line.append(box, name, sure);
    line.addEventListener("pointerenter", () => this.actions.point(region.id));
    line.addEventListener("focusin", () => this.actions.point(region.id));
    return line;
  }
}

/**
 * Outlines over the picture: all while regions are picked, those that stay as they are dashed, the pointed one with its name.
 * @param {CanvasRenderingContext2D} context @param {import("./view.js").View} view
 * @param {import("./sieve.js").Region[]} regions @param {{all: boolean, pointed: number | null}} which
 */
export function drawRegions(context, view, regions, { all, pointed }) {
  const ratio = devicePixelRatio || 1;
  for (const region of regions) {
    const isPointed = region.id === pointed;
    if (!isPointed && !all) continue;
    const [left, top, right, bottom] = region.box;
    const x = Math.round(view.x + left * view.scale) - 3 * ratio;
    const y = Math.round(view.y + top * view.scale) - 3 * ratio;
    const width = Math.round((right - left) * view.scale) + 6 * ratio;
    const height = Math.round((bottom - top) * view.scale) + 6 * ratio;
    context.setLineDash(region.kept ? [] : [5 * ratio, 4 * ratio]);
    context.lineWidth = (isPointed ? 4 : 3) * ratio;
    context.strokeStyle = "rgb(0 0 0 / 55%)";
    context.strokeRect(x, y, width, height);
    context.lineWidth = (isPointed ? 2 : 1) * ratio;
    context.strokeStyle = "#fff";
    context.strokeRect(x, y, width, height);
    context.setLineDash([]);
    if (isPointed) drawName(context, x, y, region, ratio);
  }
}

function drawName(context, x, y, region, ratio) {
  const fate = region.kept ? "" : region.decided === false ? tr(" · thrown away") : tr(" · left");
  const text = `${nameOf(region.kind, 1)} · ${Math.round(100 * region.confidence)} %${fate}`;
  context.font = `600 ${12 * ratio}px system-ui, sans-serif`;
  const width = context.measureText(text).width + 16 * ratio;
  const height = 22 * ratio;
  const left = Math.max(4 * ratio, Math.min(x, context.canvas.width - width - 4 * ratio));
  const top = y - height - 4 * ratio < 0 ? Math.max(4 * ratio, y + 4 * ratio) : y - height - 4 * ratio;
  context.fillStyle = "rgb(20 18 15 / 85%)";
  context.fillRect(left, top, width, height);
  context.fillStyle = "#fff";
  context.textBaseline = "middle";
  context.fillText(text, left + 8 * ratio, top + height / 2);
}

/** The smallest region at a point. @returns {import("./sieve.js").Region | null} */
export function regionAt(regions, { x, y }, slack) {
  const hit = regions.filter(
    ({ box }) => x >= box[0] - slack && x < box[2] + slack && y >= box[1] - slack && y < box[3] + slack,
  );
  const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
  return hit.sort((one, two) => area(one) - area(two))[0] ?? null;
}
