// The session: pictures are opened, put on the stage and closed, and a reload brings all of it back.

import { cropFor } from "./answers.js";
import { $ } from "./elements.js";
import { mostOf } from "./mask.js";
import { ask, notice, say, tell } from "./notices.js";
import { layMask } from "./repairs.js";
import { centred, held } from "./view.js";

const STILL_MS = 400; // a view is worth noting once it has been still for so long

/**
 * @param {{stage: import("./stage.js").Stage, easel: import("./easel.js").Easel,
 *   scene: import("./scene.js").Scene, gallery: import("./gallery.js").Gallery,
 *   compare: ReturnType<typeof import("./compare.js").compareSlider>,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>}} parts
 */
export function editingSession({ stage, easel, scene, gallery, compare, display }) {
  /** @param {File[]} files @param {{tolerate?: boolean}} [options] tolerate: as much of truncated ones as there is */
  async function open(files, { tolerate = false } = {}) {
    if (!files.length) return;
    const opened = [];
    const cut = [];
    const failed = (error, file) => (error.consent === "tolerate" ? cut.push(file) : tell(error));
    try {
      for await (const id of gallery.add(files, failed, tolerate)) {
        opened.push(id);
        if (opened.length === 1) await go(id);
        if (tolerate) await markMissing(await gallery.work(id));
      }
    } catch (error) {
      tell(error);
    }
    if (cut.length) {
      const what = cut.length === 1 ? `the picture ${cut[0].name} is` : `${cut.length} pictures are`;
      ask(`${what} cut short`, "tolerate", () => open(cut, { tolerate: true }));
    }
    if (opened.length > 1) notice(`${opened.length} pictures opened`, { seconds: 4 });
  }

  /** What a truncated file lacks is damage. @param {import("./work.js").Work} work */
  async function markMissing(work) {
    const { notes } = await layMask(work, {}, "what is missing");
    for (const note of notes) notice(note, { seconds: 6 });
  }

  /** Put a picture on the stage. @param {string | null} id */
  async function go(id) {
    if (!id || easel.active) return;
    try {
      const next = await gallery.work(id);
      document.body.dataset.state = "working";
      $("welcome").hidden = true;
      $("editor").hidden = false;
      gallery.select(id);
      stage.measure();
      if (!(await scene.show(next))) return;
      easel.mask = next.mask;
      easel.lastPoint = null;
      const { view, size } = next.record;
      if (view) {
        stage.fits = false;
        stage.show(held(centred(view.scale, view, stage.screen), stage.picture, stage.screen));
      } else {
        stage.fit();
      }
      easel.setSize(size ?? (26 * (devicePixelRatio || 1)) / stage.view.scale);
      compare.toggle(false);
      display.refresh();
      await makeThumbnails();
      $("stage").focus({ preventScroll: true, focusVisible: false });
      say(`${next.record.name}, ${next.record.width} by ${next.record.height} pixels`);
    } catch (error) {
      tell(error);
      if (!scene.work) welcome();
    }
  }

  function welcome() {
    scene.empty();
    easel.mask = null;
    gallery.select(null);
    document.body.dataset.state = "empty";
    document.title = "Remend";
    $("welcome").hidden = false;
    $("editor").hidden = true;
  }

  function close() {
    const now = scene.work;
    if (!now) return;
    const next = gallery.beside(1) ?? gallery.beside(-1);
    const gone = gallery.remove(now.id);
    if (next) go(next);
    else welcome();
    notice(`${now.record.name} closed`, {
      closed: gone.delete,
      action: {
        label: "Bring it back",
        run: () => {
          gone.restore();
          go(now.id);
        },
      },
    });
  }

  /** What an earlier visit left. */
  async function restore() {
    try {
      await go(await gallery.restore());
    } catch {
      notice("this browser does not keep your work over a reload", { remedy: "download what you want to keep", key: "unsaved" });
    }
  }

  /** The history of the picture on the stage moved. */
  function changed() {
    const now = scene.work;
    now.note({ repaired: now.answer !== null });
    display.refresh();
    scene
      .refresh()
      .then(makeThumbnails)
      .catch(tell);
  }

  /** Small pictures of a new answer, for the answers' list and the strip. */
  async function makeThumbnails() {
    const now = scene.work;
    const { answer } = now ?? {};
    if (!answer || answer.thumb || scene.shown !== answer.id) return;
    const crop = cropFor(mostOf(now.lastRepair.difference, now.mask), now.mask);
    now.keepThumbnail(answer, await scene.thumbnail(crop));
    now.note({ thumb: await scene.thumbnail() });
    display.refresh();
  }

  gallery.addEventListener("loaded", ({ detail: one }) => {
    one.addEventListener("change", () => one === scene.work && changed());
    one.addEventListener("preview", () => {
      if (one !== scene.work) return;
      display.refresh();
      stage.redraw();
    });
    one.addEventListener("running", () => one === scene.work && display.refresh());
    one.addEventListener("unsaved", ({ detail: error }) => {
      notice("this browser has no room to keep your work over a reload", {
        remedy: `download what you want to keep (${error?.name ?? "storage failed"})`,
        bad: true,
        key: "unsaved",
      });
    });
  });

  function noteView() {
    const { view, middle } = stage;
    const at = { scale: view.scale, x: (middle.x - view.x) / view.scale, y: (middle.y - view.y) / view.scale };
    scene.work?.note({ view: stage.fits ? null : at, size: easel.size });
  }

  let still = 0;
  stage.addEventListener("view", () => {
    clearTimeout(still);
    still = setTimeout(noteView, STILL_MS);
  });
  addEventListener("pagehide", noteView);

  return { open, go, close, restore };
}
