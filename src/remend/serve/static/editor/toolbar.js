// The tools' buttons and the brush's size, which follow the easel as much as they lead it.

import { $ } from "./elements.js";
import { tr } from "./words.js";

/** @param {{stage: import("./stage.js").Stage, easel: import("./easel.js").Easel}} parts */
export function wireToolbar({ stage, easel }) {
  const buttons = [...document.querySelectorAll(".tool")];
  for (const button of buttons) button.addEventListener("click", () => easel.choose(button.dataset.tool));
  easel.addEventListener("tool", () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === easel.tool));
    $("size-box").hidden = !easel.usesBrush;
    stage.redraw();
  });

  // One stop for Tab; the arrow keys go from tool to tool.
  const roam = (to) => buttons.forEach((button) => (button.tabIndex = button === to ? 0 : -1));
  roam(buttons[0]);
  $("tools").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    roam(next);
    next.focus();
  });

  const showSize = () => {
    $("size").value = String(Math.round(1000 * easel.share));
    $("size-value").textContent = tr`${Math.round(easel.size)} px`;
    const across = Math.max(3, (easel.size * stage.view.scale) / (devicePixelRatio || 1));
    $("dot").style.width = $("dot").style.height = `${Math.min(32, across)}px`;
  };
  easel.addEventListener("size", showSize);
  stage.addEventListener("view", showSize); // how many of the picture's pixels it covers
  $("size").addEventListener("input", () => {
    easel.share = Number($("size").value) / 1000;
  });
}
