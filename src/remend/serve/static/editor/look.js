// How the picture is looked at: its zoom, the original under it, the mask's colour, the theme.

import { $ } from "./elements.js";
import { say } from "./notices.js";
import { COLOURS, nextTheme, prefer, settings } from "./settings.js";
import { tr } from "./words.js";

/**
 * @param {{stage: import("./stage.js").Stage, easel: import("./easel.js").Easel,
 *   scene: import("./scene.js").Scene}} parts
 */
export function stageLook({ stage, easel, scene }) {
  stage.addEventListener("view", () => {
    const shown = Math.round((100 * stage.view.scale) / (devicePixelRatio || 1));
    $("zoom-value").textContent = `${shown} %`;
    $("zoom-value").setAttribute("aria-label", tr`Zoom ${shown} %: show actual size`);
  });

  function actualSize() {
    stage.zoom((devicePixelRatio || 1) / stage.view.scale, easel.place ?? stage.middle);
  }

  /** @param {boolean} shown */
  function showOriginal(shown) {
    stage.holdOriginal = shown && scene.work !== null;
    stage.redraw();
  }

  function mixColour() {
    const colour = COLOURS[settings.colour] ?? COLOURS[0];
    document.documentElement.style.setProperty("--mask-colour", colour);
    stage.overlay?.dye(colour);
    stage.redraw();
  }

  function nextColour() {
    prefer({ colour: (settings.colour + 1) % COLOURS.length });
    mixColour();
  }

  function switchTheme() {
    const name = nextTheme();
    $("theme").setAttribute("aria-label", tr`Theme: ${name}`);
    say(tr`Theme: ${name}`);
    stage.redraw();
  }

  mixColour();
  return { actualSize, showOriginal, nextColour, switchTheme };
}
