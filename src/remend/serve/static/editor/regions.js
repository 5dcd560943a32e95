// What Find damage saw: a list by kind, and outlines on the picture.

const PLURALS = { scratch: "scratches", dust: "specks of dust", blocks: "lost blocks", overlay: "captions and dates" };
const SINGULARS = { dust: "speck of dust", blocks: "lost block", overlay: "caption or date" };

export const nameOf = (kind, count) =>
  count === 1 ? (SINGULARS[kind] ?? kind) : (PLURALS[kind] ?? `${kind}s`);

export class RegionList {
  /**
   * @param {HTMLElement} place
   * @param {{keep: (ids: number[], kept: boolean) => void, point: (id: number | null) => void}} actions
   */
  constructor(place, actions) {
    this.place = place;
    this.actions = actions;
    /** @type {Set<string>} kinds whose list is open */
    this.open = new Set();
    this.shown = "";
    place.addEventListener("pointerleave", () => actions.point(null));
    place.addEventListener("focusout", () => actions.point(null));
  }

  /** @param {import("./work.js").Region[]} regions */
  show(regions) {
    const same = regions.length ? regions.map((r) => `${r.kind}${r.box}`).join() : "";
    if (same === this.shown) return this.#refresh(regions);
    this.shown = same;
    this.place.replaceChildren();
    const kinds = Map.groupBy ? Map.groupBy(regions, (region) => region.kind) : grouped(regions);
    this.open = new Set(regions.length <= 8 ? kinds.keys() : []);
    for (const [kind, members] of kinds) this.place.append(this.#kind(kind, members));
    this.#refresh(regions);
  }

  #kind(kind, members) {
    const group = document.createElement("div");
    group.className = "kind";
    group.dataset.kind = kind;
    const head = document.createElement("div");
    head.className = "kind-head";
    const all = this.#line(`${members.length} ${nameOf(kind, members.length)}`, null, (kept) =>
      this.actions.keep(
        members.map((region) => region.id),
        kept,
      ),
    );
    const toggle = document.createElement("button");
    toggle.type = "button";
    toggle.className = "kind-toggle";
    toggle.setAttribute("aria-label", `Each of the ${nameOf(kind, 2)}`);
    const list = document.createElement("div");
    list.className = "region-list";
    list.id = `regions-${kind}`;
    toggle.setAttribute("aria-controls", list.id);
    members.forEach((region, n) => {
      const line = this.#line(`${nameOf(kind, 1)} ${n + 1}`, region.confidence, (kept) =>
        this.actions.keep([region.id], kept),
      );
      line.dataset.id = String(region.id);
      line.addEventListener("pointerenter", () => this.actions.point(region.id));
      line.addEventListener("focusin", () => this.actions.point(region.id));
      list.append(line);
    });
    const unfold = () => {
      const isOpen = this.open.has(kind);
      list.hidden = !isOpen;
      toggle.setAttribute("aria-expanded", String(isOpen));
    };
    toggle.addEventListener("click", () => {
      this.open.has(kind) ? this.open.delete(kind) : this.open.add(kind);
      unfold();
    });
    unfold();
    head.append(all, toggle);
    group.append(head, list);
    return group;
  }

  #line(text, confidence, keep) {
    const line = document.createElement("label");
    line.className = "region";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.addEventListener("change", () => keep(box.checked));
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = text.charAt(0).toUpperCase() + text.slice(1);
    line.append(box, name);
    if (confidence !== null) {
      const sure = document.createElement("span");
      sure.className = "sure";
      const meter = document.createElement("span");
      meter.className = "meter";
      meter.setAttribute("aria-hidden", "true");
      const fill = document.createElement("i");
      fill.style.width = `${Math.round(100 * confidence)}%`;
      meter.append(fill);
      sure.append(meter, `${Math.round(100 * confidence)} %`);
      sure.title = "How sure it is";
      line.append(sure);
    }
    return line;
  }

  #refresh(regions) {
    for (const group of this.place.children) {
      const members = regions.filter((region) => region.kind === group.dataset.kind);
      const kept = members.filter((region) => region.kept).length;
      const all = group.querySelector(".kind-head input");
      all.checked = kept > 0;
      all.indeterminate = kept > 0 && kept < members.length;
      for (const line of group.querySelectorAll(".region-list .region")) {
        const region = regions[Number(line.dataset.id)];
        line.querySelector("input").checked = region.kept;
        line.querySelector(".name").classList.toggle("dropped", !region.kept);
      }
    }
  }

  /** Mark the line of the region under the pointer on the picture. @param {number | null} id */
  mark(id) {
    for (const line of this.place.querySelectorAll(".region-list .region"))
      line.classList.toggle("shown", line.dataset.id === String(id));
  }
}

function grouped(regions) {
  const kinds = new Map();
  for (const region of regions) kinds.set(region.kind, [...(kinds.get(region.kind) ?? []), region]);
  return kinds;
}

/**
 * Outlines over the picture: all while regions are picked, those thrown away dashed, the pointed one with its name.
 * @param {CanvasRenderingContext2D} context @param {import("./view.js").View} view
 * @param {import("./work.js").Region[]} regions @param {{all: boolean, pointed: number | null}} which
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
  const text = `${nameOf(region.kind, 1)} · ${Math.round(100 * region.confidence)} %${region.kept ? "" : " · thrown away"}`;
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

/** The smallest region at a point. @returns {import("./work.js").Region | null} */
export function regionAt(regions, { x, y }, slack) {
  const hit = regions.filter(
    ({ box }) => x >= box[0] - slack && x < box[2] + slack && y >= box[1] - slack && y < box[3] + slack,
  );
  const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
  return hit.sort((one, two) => area(one) - area(two))[0] ?? null;
}
