// Restoring on the page: what would help is measured, each step gets its reason, a switch and a slider, and
// what is left on is done to the whole picture. It is a step of the history like a repair.

import { $ } from "./elements.js";
import { say, tell } from "./notices.js";
import { inspectPicture, restorePicture } from "./repairs.js";
import { methods } from "./server.js";
import { tr, trError } from "./words.js";

const NAMES = {
  screen: tr("Dots of a print"), noise: tr("Noise and grain"), blocks: tr("JPEG blocks"), tone: tr("Faded tones"),
};
const OURS = new Set(["damage"]); // has its own flow on the page
const RARE = new Set(["screen"]); // shown only where there is something to take off

/**
 * @param {{scene: import("./scene.js").Scene, gallery: import("./gallery.js").Gallery,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>}} parts
 */
export function pictureRestoring({ scene, gallery, display }) {
  /** What was measured, and what of it is wanted, picture by picture. @type {Map<string, any[]>} */
  const measured = new Map();
  /** @type {Record<string, any>} the server's options of a restoration */
  let options = {};
  let shown = null;

  const stepsOf = (work) => measured.get(work?.id) ?? null;
  /** A step that can be taken: it helps, and there is a share of it. */
  const canBe = (step) => step.strength > 0;
  const wantedOf = (steps) => steps.filter((step) => canBe(step) && step.isOn && step.share > 0);

  async function look() {
    const now = scene.work;
    if (!now || now.running || gallery.batch) return;
    await display.attempt(async () => {
      options = (await methods()).restore_options ?? {};
      const { steps } = await inspectPicture(now, display.progressOf(now));
      const known = steps.filter((step) => !OURS.has(step.step) && (canBe(step) || !RARE.has(step.step)));
      measured.set(now.id, known.map((step) => ({ ...step, isOn: canBe(step), share: 1 })));
      const helps = known.filter(canBe).length;
      say(helps ? tr`${helps} of ${known.length} steps would help` : tr("Nothing would help: the picture is good as it is."));
    });
    show();
  }

  async function restore() {
    const now = scene.work;
    const steps = stepsOf(now);
    if (!steps || now.running || gallery.batch) return;
    const wanted = wantedOf(steps);
    if (!wanted.length) return;
    const asked = {
      only: wanted.map(({ step }) => step).join(","),
      ...Object.fromEntries(wanted.filter(({ step }) => options[step]).map(({ step, share }) => [step, share])),
    };
    const answer = await display.attempt(() => restorePicture(now, asked, display.progressOf(now)));
    if (answer) say(tr`Restored in ${answer.seconds.toFixed(1)} seconds`);
  }

  /** The steps of the picture on the stage. */
  function show() {
    const now = scene.work;
    const steps = stepsOf(now);
    const isRunning = Boolean(now?.running) || gallery.batch !== null;
    $("restore-look").hidden = steps !== null;
    $("restore-look").disabled = isRunning;
    $("restore-steps").hidden = steps === null;
    $("restore").hidden = !steps?.some(canBe);
    $("restore").disabled = isRunning || !steps || !wantedOf(steps).length;
    $("restore-none").hidden = steps === null || steps.some(canBe);
    if (shown === steps) return;
    shown = steps;
    $("restore-steps").replaceChildren(...(steps ?? []).map(row));
  }

  /** A step: switch, reason, slider. */
  function row(step) {
    const item = document.createElement("li");
    item.className = "restore-step";
    item.dataset.step = step.step;
    const label = document.createElement("label");
    label.className = "switch";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.setAttribute("role", "switch");
    box.checked = step.isOn;
    box.disabled = !canBe(step);
    const name = document.createElement("span");
    name.textContent = NAMES[step.step] ?? step.step;
    label.append(box, name);
    const reason = document.createElement("p");
    reason.className = "help";
    reason.id = `reason-${step.step}`;
    const words = trError(step.reason);
    reason.textContent = canBe(step) ? words : tr`Left: ${words}`;
    box.setAttribute("aria-describedby", reason.id);
    item.append(label, reason);
    if (!canBe(step) || !options[step.step]) return item;
    const field = document.createElement("label");
    field.className = "field";
    const strength = document.createElement("span");
    const value = document.createElement("output");
    const slider = document.createElement("input");
    slider.type = "range";
    Object.assign(slider, { min: "0", max: "100", step: "5", value: String(100 * step.share) });
    slider.setAttribute("aria-label", tr`${name.textContent}: strength`);
    strength.append(`${tr("Strength")} `, value);
    field.append(strength, slider);
    const put = () => {
      step.isOn = box.checked;
      step.share = Number(slider.value) / 100;
      value.textContent = `${slider.value} %`;
      field.hidden = !box.checked;
      show();
    };
    box.addEventListener("change", put);
    slider.addEventListener("input", put);
    value.textContent = `${slider.value} %`;
    field.hidden = !box.checked;
    item.append(field);
    return item;
  }

  display.onRefresh(show);
  return { look: () => look().catch(tell), restore: () => restore().catch(tell) };
}
