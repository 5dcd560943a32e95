// The keyboard: which key does what. The same table is what H shows.

import { $ } from "./elements.js";
import { explain, holdTab, listen } from "./keys.js";
import { settings } from "./settings.js";
import { tr } from "./words.js";

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
  const tool = (name, key, what) => ({ group: tr("Tools"), keys: [key], shown: key.toUpperCase(), what, run: () => easel.choose(name) });
  /** @type {import("./keys.js").Binding[]} */
  const bindings = [
    tool("brush", "b", tr("Brush")),
    tool("select", "s", tr("Select: click on a thing, or draw round it")),
    tool("eraser", "e", tr("Eraser (or drag with the right button)")),
    tool("lasso", "l", tr("Lasso")),
    tool("box", "m", tr("Box")),
    tool("pick", "v", tr("Pick found damage")),
    tool("hand", "p", tr("Hand")),
    { group: tr("Tools"), keys: ["["], shown: "[", what: tr("Smaller brush (or Ctrl and the wheel)"), run: () => easel.resize(1 / 1.2) },
    { group: tr("Tools"), keys: ["]"], shown: "]", what: tr("Larger brush"), run: () => easel.resize(1.2) },
    { group: tr("Tools"), keys: ["k"], shown: "K", what: tr("Next colour of the mask"), run: look.nextColour },
    { group: tr("Repair"), keys: ["f"], shown: "F", what: tr("Find damage"), run: () => actions.find() },
    { group: tr("Repair"), keys: ["Shift+f"], shown: "Shift F", what: tr("Look harder: the next fainter marks"), run: actions.lookHarder },
    { group: tr("Repair"), keys: ["r", "Ctrl+Enter"], shown: "R or Ctrl Enter", what: tr("Repair what is marked"), run: actions.repair },
    { group: tr("Repair"), keys: ["n"], shown: "N", what: tr("Another answer, that looks different"), run: actions.another },
    { group: tr("Repair"), keys: ["Shift+n"], shown: "Shift N", what: tr("Three answers: smooth, textured, redrawn"), run: actions.three },
    { group: tr("Repair"), keys: ["Delete", "Backspace"], shown: "Delete", what: tr("Clear the mask"), run: actions.clearMask },
    {
      group: tr("Repair"), keys: ["Escape"], shown: "Esc", what: tr("Give up the stroke, or cancel what runs"),
      run: () => (easel.active ? easel.cancel() : actions.cancel()),
    },
    { group: tr("Repair"), keys: ["Ctrl+z"], shown: "Ctrl Z", what: tr("Undo"), run: () => actions.undo() },
    { group: tr("Repair"), keys: ["Ctrl+Shift+z", "Ctrl+y"], shown: "Ctrl Shift Z", what: tr("Redo"), run: () => actions.undo(true) },
    { group: tr("Look"), keys: [], shown: "Tab", what: tr("Hold: the original (on the picture)"), run: () => {} },
    { group: tr("Look"), keys: ["c"], shown: "C", what: tr("Before and after slider"), run: () => !$("compare").disabled && compare.toggle() },
    { group: tr("Look"), keys: ["+", "="], shown: "+", what: tr("Zoom in (or the wheel)"), run: () => stage.zoom(1.25) },
    { group: tr("Look"), keys: ["-"], shown: "−", what: tr("Zoom out"), run: () => stage.zoom(0.8) },
    { group: tr("Look"), keys: ["0"], shown: "0", what: tr("Fit the picture"), run: () => stage.fit() },
    { group: tr("Look"), keys: ["1"], shown: "1", what: tr("Actual size"), run: look.actualSize },
    { group: tr("Look"), keys: [], shown: "Space", what: tr("Hold: drag the picture"), run: () => {} },
    { group: tr("Look"), keys: ["t"], shown: "T", what: tr("Theme: system, light, dark"), run: look.switchTheme },
    { group: tr("Files"), keys: ["Ctrl+o"], shown: "Ctrl O", what: tr("Open pictures"), run: () => $("files").click() },
    { group: tr("Files"), keys: ["Ctrl+s", "d"], shown: "Ctrl S", what: tr("Download"), run: actions.download },
    { group: tr("Files"), keys: ["PageDown"], shown: "Page_down", what: tr("Next picture"), run: () => session.go(gallery.beside(1)) },
    { group: tr("Files"), keys: ["PageUp"], shown: "Page_up", what: tr("Picture before"), run: () => session.go(gallery.beside(-1)) },
    { group: tr("Files"), keys: ["a"], shown: "A", what: tr("Accept, and on to the next"), run: () => review.decide("accepted") },
    { group: tr("Files"), keys: ["x"], shown: "X", what: tr("Reject, and on to the next"), run: () => review.decide("rejected") },
    { group: tr("Without a mouse"), keys: [], shown: "Arrows", what: tr("Move the cursor on the picture (Alt: by a pixel)"), run: () => {} },
    { group: tr("Without a mouse"), keys: [], shown: "Enter", what: tr("Put the brush down, lift it (Shift: erase)"), run: () => {} },
    { group: tr("Without a mouse"), keys: [], shown: "Shift Arrows", what: tr("Move the picture"), run: () => {} },
    { group: tr("Without a mouse"), keys: ["h", "?"], shown: "H", what: tr("These keys"), run: () => $("keys").showModal() },
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
