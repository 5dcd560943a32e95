// The keyboard: which key does what. The same table is what H shows.

import { $ } from "./elements.js";
import { explain, holdTab, listen } from "./keys.js";
import { settings } from "./settings.js";

/**
 * @param {{stage: import("./stage.js").Stage, easel: import("./easel.js").Easel,
 *   gallery: import("./gallery.js").Gallery,
 *   compare: ReturnType<typeof import("./compare.js").compareSlider>,
 *   session: ReturnType<typeof import("./session.js").editingSession>,
 *   actions: ReturnType<typeof import("./actions.js").pictureActions>,
 *   review: ReturnType<typeof import("./review.js").galleryReview>,
 *   look: ReturnType<typeof import("./look.js").stageLook>}} parts
 */
export function wireShortcuts({ stage, easel, gallery, compare, session, actions, review, look }) {
  const tool = (name, key, what) => ({ group: "Tools", keys: [key], shown: key.toUpperCase(), what, run: () => easel.choose(name) });
  /** @type {import("./keys.js").Binding[]} */
  const bindings = [
    tool("brush", "b", "Brush"),
    tool("select", "s", "Select: click on a thing, or draw round it"),
    tool("eraser", "e", "Eraser (or drag with the right button)"),
    tool("lasso", "l", "Lasso"),
    tool("box", "m", "Box"),
    tool("pick", "v", "Pick found damage"),
    tool("hand", "p", "Hand"),
    { group: "Tools", keys: ["["], shown: "[", what: "Smaller brush (or Ctrl and the wheel)", run: () => easel.resize(1 / 1.2) },
    { group: "Tools", keys: ["]"], shown: "]", what: "Larger brush", run: () => easel.resize(1.2) },
    { group: "Tools", keys: ["k"], shown: "K", what: "Next colour of the mask", run: look.nextColour },
    { group: "Repair", keys: ["f"], shown: "F", what: "Find damage", run: () => actions.find() },
    { group: "Repair", keys: ["Shift+f"], shown: "Shift F", what: "Look harder: the next fainter marks", run: actions.lookHarder },
    { group: "Repair", keys: ["r", "Ctrl+Enter"], shown: "R or Ctrl Enter", what: "Repair what is marked", run: actions.repair },
    { group: "Repair", keys: ["n"], shown: "N", what: "Another answer, that looks different", run: actions.another },
    { group: "Repair", keys: ["Shift+n"], shown: "Shift N", what: "Three answers: smooth, textured, redrawn", run: actions.three },
    { group: "Repair", keys: ["Delete", "Backspace"], shown: "Delete", what: "Clear the mask", run: actions.clearMask },
    {
      group: "Repair", keys: ["Escape"], shown: "Esc", what: "Give up the stroke, or cancel what runs",
      run: () => (easel.active ? easel.cancel() : actions.cancel()),
    },
    { group: "Repair", keys: ["Ctrl+z"], shown: "Ctrl Z", what: "Undo", run: () => actions.undo() },
    { group: "Repair", keys: ["Ctrl+Shift+z", "Ctrl+y"], shown: "Ctrl Shift Z", what: "Redo", run: () => actions.undo(true) },
    { group: "Look", keys: [], shown: "Tab", what: "Hold: the original (on the picture)", run: () => {} },
    { group: "Look", keys: ["c"], shown: "C", what: "Before and after slider", run: () => !$("compare").disabled && compare.toggle() },
    { group: "Look", keys: ["+", "="], shown: "+", what: "Zoom in (or the wheel)", run: () => stage.zoom(1.25) },
    { group: "Look", keys: ["-"], shown: "−", what: "Zoom out", run: () => stage.zoom(0.8) },
    { group: "Look", keys: ["0"], shown: "0", what: "Fit the picture", run: () => stage.fit() },
    { group: "Look", keys: ["1"], shown: "1", what: "Actual size", run: look.actualSize },
    { group: "Look", keys: [], shown: "Space", what: "Hold: drag the picture", run: () => {} },
    { group: "Look", keys: ["t"], shown: "T", what: "Theme: system, light, dark", run: look.switchTheme },
    { group: "Files", keys: ["Ctrl+o"], shown: "Ctrl O", what: "Open pictures", run: () => $("files").click() },
    { group: "Files", keys: ["Ctrl+s", "d"], shown: "Ctrl S", what: "Download", run: actions.download },
    { group: "Files", keys: ["PageDown"], shown: "Page_down", what: "Next picture", run: () => session.go(gallery.beside(1)) },
    { group: "Files", keys: ["PageUp"], shown: "Page_up", what: "Picture before", run: () => session.go(gallery.beside(-1)) },
    { group: "Files", keys: ["a"], shown: "A", what: "Accept, and on to the next", run: () => review.decide("accepted") },
    { group: "Files", keys: ["x"], shown: "X", what: "Reject, and on to the next", run: () => review.decide("rejected") },
    { group: "Without a mouse", keys: [], shown: "Arrows", what: "Move the cursor on the picture (Alt: by a pixel)", run: () => {} },
    { group: "Without a mouse", keys: [], shown: "Enter", what: "Put the brush down, lift it (Shift: erase)", run: () => {} },
    { group: "Without a mouse", keys: [], shown: "Shift Arrows", what: "Move the picture", run: () => {} },
    { group: "Without a mouse", keys: ["h", "?"], shown: "H", what: "These keys", run: () => $("keys").showModal() },
  ];
  explain(bindings, $("keys-list"));
  listen(bindings, () => settings.singleKeys);
  holdTab($("stage"), look.showOriginal);
  addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest?.("button, input, select, summary, dialog")) return;
    event.preventDefault();
    easel.pointers.setSpace(true);
  });
  addEventListener("keyup", (event) => event.key === " " && easel.pointers.setSpace(false));
  $("keys").addEventListener("keydown", (event) => {
    if (!["h", "?"].includes(event.key)) return;
    event.preventDefault(); // or the same key would open it again
    $("keys").close();
  });
}
