// The handle of the before / after slider: drag it, or move it with the arrow keys.

/** @param {import("./stage.js").Stage} stage @param {(on: boolean) => void} changed */
export function compareSlider(stage, changed) {
  const handle = document.getElementById("slider");
  const labels = [document.getElementById("label-before"), document.getElementById("label-after")];

  const set = (share) => {
    stage.compare = Math.min(1, Math.max(0, share));
    handle.style.left = `${100 * stage.compare}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(100 * stage.compare)));
    handle.setAttribute("aria-valuetext", `${Math.round(100 * stage.compare)} % original`);
    stage.redraw();
  };

  const toggle = (on = stage.compare === null) => {
    handle.hidden = !on;
    for (const label of labels) label.hidden = !on;
    if (on) {
      set(0.5);
      handle.focus({ focusVisible: false });
    } else {
      stage.compare = null;
      stage.redraw();
    }
    changed(on);
  };

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
  return { toggle, set };
}
