// Straighten and crop: the prints of a scan take its place in the list, the one print or several. Undo on a print
// that nothing was done to yet brings the scan back, with all that was done to it; redo there, the prints.

import { $ } from "./elements.js";
import { notice, say, tell } from "./notices.js";
import { cropPicture } from "./repairs.js";
import { tr } from "./words.js";

/**
 * @param {{scene: import("./scene.js").Scene, gallery: import("./gallery.js").Gallery,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>,
 *   session: ReturnType<typeof import("./session.js").editingSession>}} parts
 */
export function pictureCropping({ scene, gallery, display, session }) {
  async function crop() {
    const now = scene.work;
    if (!now || now.running || now.mask.isOpen || gallery.batch) return;
    await display.attempt(async () => {
      const { files, notes } = await cropPicture(now, $("crop-rims").checked, display.progressOf(now));
      if (!files.length) {
        notice(tr("no print is seen on a scanner's bed"), { remedy: tr("the picture stays as it is") });
        return;
      }
      const first = await gallery.crop(now.record, files);
      if (now === scene.work) await session.go(first);
      gallery.release();
      const told = files.length > 1 ? tr`${files.length} prints, each a picture of its own now` : tr("straightened and cropped");
      notice(told, { remedy: tr("undo brings the scan back"), seconds: 6 });
      for (const note of notes) notice(note, { seconds: 6 });
    });
  }

  /** Take the crop back, or do it again, where this is the next step. @returns {Promise<boolean>} whether it was */
  async function undo(redo) {
    const now = scene.work;
    if (!now || gallery.batch || (redo ? now.future : now.past).length) return false;
    const shown = gallery.swap(now.record, redo);
    if (!shown) return false;
    await session.go(shown);
    say(`${redo ? tr("Redone") : tr("Undone")}: ${tr("crop")}`);
    return true;
  }

  function show() {
    $("crop").disabled = Boolean(scene.work?.running) || gallery.batch !== null;
  }

  display.onRefresh(show);
  return { crop: () => crop().catch(tell), undo: (redo) => undo(redo).catch(tell) };
}
