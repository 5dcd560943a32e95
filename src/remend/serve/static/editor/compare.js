// The handle of the before / after slider: drag it, or move it with the arrow keys.

import { tr } from "./words.js";

/** @param {import("./stage.js").Stage} stage @param {(on: boolean) => void} changed */
export function compareSlider(stage, changed) {
  const handle = document.getElementById("slider");
  const labels = [document.getElementById("label-before"), document.getElementById("label-after")];

  const set = (share) => {
    stage.compare = Math.min(1, Math.max(0, share));
    handle.style.left = `${100 * stage.compare}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(100 * stage.compare)));
    handle.setAttribute("aria-valuetext", tr`${Math.round(100 * stage.compare)} % original`);
    stage.redraw();
  };

  let wanted = false; // it stays wanted from picture to picture, and is shown where there is something to compare
  let place = 0.5;

  const show = (on) => {
    if (on === (stage.compare !== null)) return;
    handle.hidden = !on;
    for (const label of labels) label.hidden = !on;
    if (on) set(place);
    else {
      place = stage.compare;
      stage.compare = null;
      stage.redraw();
    }
    changed(on);
  };

  const toggle = () => {
    wanted = stage.compare === null;
    if (wanted) place = 0.5;
    show(wanted);
    if (wanted) handle.focus({ focusVisible: false });
  };

  /** There is something to compare, or nothing. @param {boolean} possible */
  const allow = (possible) => show(wanted && possible);

  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus({ focusVisible: false });
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = stage.element.getBoundingClientRect();
    set((event.clientX - box.left) / box.width);
  });
  handle.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    set(stage.compare + steps[event.key]);
  });
  return { toggle, allow, set };
}
