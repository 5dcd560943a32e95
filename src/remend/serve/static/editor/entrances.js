// The ways in for files: chosen, dropped, pasted.

import { $ } from "./elements.js";
import { dropped } from "./pictures.js";

/**
 * @param {{session: ReturnType<typeof import("./session.js").editingSession>,
 *   actions: ReturnType<typeof import("./actions.js").pictureActions>,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>}} parts
 */
export function wireEntrances({ session, actions, display }) {
  for (const [id, take] of [
    ["files", session.open],
    ["folder", session.open],
    ["mask-file", ([file]) => actions.importMask(file)],
  ]) {
    $(id).addEventListener("change", () => {
      const files = [...$(id).files];
      $(id).value = ""; // or the same file could not be chosen again
      take(files);
    });
  }

  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    session.open(files);
  });

  let depth = 0; // every element that is dragged over enters and leaves for itself
  addEventListener("dragenter", (event) => {
    event.preventDefault();
    if (++depth === 1) $("dropping").hidden = false;
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (depth === 0) $("dropping").hidden = true;
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    depth = 0;
    $("dropping").hidden = true;
    await display.attempt(async () => session.open(await dropped(event.dataTransfer)));
  });
}
