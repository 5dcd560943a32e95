// What each button and switch does.

import { $ } from "./elements.js";
import { examplePicture } from "./example.js";
import { prefer, settings } from "./settings.js";
import { tr } from "./words.js";

const on = (id, run) => $(id).addEventListener("click", run);

/**
 * @param {{stage: import("./stage.js").Stage, scene: import("./scene.js").Scene,
 *   compare: ReturnType<typeof import("./compare.js").compareSlider>,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>,
 *   session: ReturnType<typeof import("./session.js").editingSession>,
 *   actions: ReturnType<typeof import("./actions.js").pictureActions>,
 *   cropping: ReturnType<typeof import("./cropping.js").pictureCropping>,
 *   restoring: ReturnType<typeof import("./restoring.js").pictureRestoring>,
 *   saving: ReturnType<typeof import("./saving.js").pictureSaving>,
 *   marking: ReturnType<typeof import("./marking.js").pictureMarking>,
 *   review: ReturnType<typeof import("./review.js").galleryReview>,
 *   sharing: ReturnType<typeof import("./sharing.js").maskSharing>,
 *   look: ReturnType<typeof import("./look.js").stageLook>}} parts
 */
export function wireControls({ stage, scene, compare, display, session, actions, cropping, restoring, marking, saving, review, sharing, look }) {
  on("choose", () => $("files").click());
  on("open", () => $("files").click());
  on("choose-folder", () => $("folder").click());
  on("example", async () => display.attempt(async () => session.open([await examplePicture()])));
  on("close", session.close);
  on("undo", () => actions.undo());
  on("redo", () => actions.undo(true));
  on("download", actions.download);
  on("save-as", saving.open);
  on("find", () => actions.find());
  const withFocus = (act) => async (event) => {
    await act();
    // The button is gone when it has done its work: who came by keys goes on at the slider.
    if (event.detail === 0 && !event.target.checkVisibility()) $("sensitivity").focus();
  };
  on("harder", withFocus(actions.lookHarder));
  on("force", withFocus(() => actions.find(true)));
  on("repair", actions.repair);
  on("crop", cropping.crop);
  on("restore-look", restoring.look);
  on("restore", restoring.restore);
  on("cancel", actions.cancel);
  on("another", actions.another);
  on("three", actions.three);
  on("mask-import", () => $("mask-file").click());
  on("mask-export", actions.exportMask);
  on("mask-clear", actions.clearMask);
  const step = () => Math.max(1, Math.round((2 * (devicePixelRatio || 1)) / stage.view.scale)); // seen on the screen
  on("mask-grow", () => marking.resize(step()));
  on("mask-shrink", () => marking.resize(-step()));
  on("mask-colour", look.nextColour);
  on("mask-share", sharing.share);
  on("compare", () => compare.toggle());
  on("zoom-in", () => stage.zoom(1.25));
  on("zoom-out", () => stage.zoom(0.8));
  on("zoom-fit", () => stage.fit());
  on("zoom-value", look.actualSize);
  on("theme", look.switchTheme);
  on("accept", () => review.decide("accepted"));
  on("reject", () => review.decide("rejected"));
  on("all", review.repairAll);
  on("download-all", review.downloadAll);
  on("help", () => $("keys").showModal());
  for (const button of document.querySelectorAll("[data-close]"))
    button.addEventListener("click", () => button.closest("dialog").close());
  // On a phone the bar has no room for these: the options repeat them.
  for (const button of document.querySelectorAll("[data-does]"))
    button.addEventListener("click", () => $(button.dataset.does).click());
  on("panel-toggle", () => {
    const isOpen = $("panel").classList.toggle("open");
    $("panel-toggle").setAttribute("aria-expanded", String(isOpen));
  });
  // After a click with a pointer the keys belong to the picture again; who works by keys stays where they are.
  $("editor").addEventListener("click", (event) => {
    if (event.detail > 0 && event.target.closest("button") && !event.target.closest(".kind-toggle, #panel-toggle, .answer"))
      $("stage").focus({ preventScroll: true, focusVisible: false });
  });

  for (const [id, setting] of [
    ["auto", "auto"],
    ["single-keys", "singleKeys"],
    ["rims", "rims"],
  ]) {
    $(id).checked = settings[setting];
    $(id).addEventListener("change", () => prefer({ [setting]: $(id).checked }));
  }
  const showFeather = () => {
    $("feather-value").textContent = tr`${$("feather").value} px`;
  };
  $("feather").value = String(settings.feather);
  showFeather();
  $("feather").addEventListener("input", () => {
    prefer({ feather: Number($("feather").value) });
    showFeather();
  });
  // It sifts what was found while it moves, and says so when it rests.
  const sensitivity = () => Number($("sensitivity").value) / 100;
  let frame = 0;
  $("sensitivity").addEventListener("input", () => {
    prefer({ sensitivity: sensitivity() });
    $("sensitivity-value").textContent = `${$("sensitivity").value} %`;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => scene.work?.preview(sensitivity()));
  });
  $("sensitivity").addEventListener("change", () => {
    cancelAnimationFrame(frame);
    scene.work?.slide(sensitivity());
  });
  $("sensitivity").value = String(100 * settings.sensitivity);
  $("sensitivity-value").textContent = `${$("sensitivity").value} %`;
}
