// The session: pictures are opened, put on the stage and closed, and a reload brings all of it back.

import { cropFor } from "./answers.js";
import { $ } from "./elements.js";
import { mostOf } from "./mask.js";
import { ask, notice, say, tell } from "./notices.js";
import { layMask } from "./repairs.js";
import { centred, held } from "./view.js";
import { tr } from "./words.js";

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
    const told = opening(files);
    try {
      for await (const id of gallery.add(files, failed, tolerate)) {
        opened.push(id);
        if (opened.length === 1) await go(id);
        if (tolerate) await markMissing(await gallery.work(id));
      }
    } catch (error) {
      tell(error);
    } finally {
      told();
      gallery.release();
    }
    if (cut.length) {
      const what = cut.length === 1 ? tr`the picture ${cut[0].name} is cut short` : tr`${cut.length} pictures are cut short`;
      ask(what, "tolerate", () => open(cut, { tolerate: true }));
    }
    if (opened.length > 1) notice(tr`${opened.length} pictures opened`, { seconds: 4 });
  }

  let openings = 0;

  /** Say at once that files are being opened: large ones take seconds. @param {File[]} files */
  function opening(files) {
    openings++;
    $("opening-text").textContent = files.length === 1 ? tr`Opening ${files[0].name}` : tr`Opening ${files.length} pictures`;
    $("opening").hidden = false;
    return () => {
      if (!--openings) $("opening").hidden = true;
    };
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
      document.querySelector(".stage-frame").append($("notices")); // above its controls, wherever these are
      $("welcome").hidden = true;
      $("editor").hidden = false;
      gallery.select(id);
      stage.measure();
      if (!(await scene.show(next, gallery.bitmap(next.record)))) return;
      easel.mask = next.mask;
      easel.lastPoint = null;
      const { view } = next.record;
      if (view) {
        stage.fits = false;
        stage.show(held(centred(view.scale, view, stage.screen), stage.picture, stage.screen));
      } else {
        stage.fit();
      }
      display.refresh();
      await makeThumbnails();
      $("stage").focus({ preventScroll: true, focusVisible: false });
      say(tr`${next.record.name}, ${next.record.width} by ${next.record.height} pixels`);
    } catch (error) {
      tell(error);
      if (!scene.work) welcome();
    }
  }

  function welcome() {
    scene.empty();
    compare.allow(false);
    document.body.append($("notices"));
    easel.mask = null;
    gallery.select(null);
    document.body.dataset.state = "empty";
    document.title = tr("Remend");
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
    notice(tr`${now.record.name} closed`, {
      closed: gone.delete,
      action: {
        label: tr("Bring it back"),
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
      notice(tr("this browser does not keep your work over a reload"), { remedy: tr("download what you want to keep"), key: "unsaved" });
    }
  }

  /** The history of the picture on the stage moved. */
  function changed() {
    const now = scene.work;
    now.note({ repaired: now.answer !== null });
    display.refresh();
    scene
      .refresh()
      .then((isNew) => {
        if (isNew && now === scene.work) stage.unveil(now.lastRepair.difference.map(({ index }) => now.mask.rectOf(index)));
        return makeThumbnails();
      })
      .catch(tell);
  }

  /** Small pictures of a new answer, for the answers' list and the strip. */
  async function makeThumbnails() {
    const now = scene.work;
    const entry = now?.lastRepair;
    if (!entry) return;
    const crop = entry.restored ? undefined : cropFor(mostOf(entry.difference, now.mask), now.mask);
    for (const answer of entry.answers.map((id) => now.answers.get(id))) {
      if (!answer || answer.thumb || !(answer.patch || scene.shown === answer.id)) continue;
      const thumb = await scene.thumbnail(crop, 300, answer.patch);
      if (now !== scene.work) return;
      now.keepThumbnail(answer, thumb);
    }
    if (scene.shown && now.record.thumbOf !== scene.shown) now.note({ thumb: await scene.thumbnail(), thumbOf: scene.shown });
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
      notice(tr("this browser has no room to keep your work over a reload"), {
        remedy: tr`download what you want to keep (${error?.name ?? "storage failed"})`,
        bad: true,
        key: "unsaved",
      });
    });
  });

  gallery.addEventListener("followed", async ({ detail: { id, name, at } }) => {
    if (id !== gallery.current) {
      display.refresh();
      return;
    }
    if (easel.active) easel.cancel(); // it was begun on what is not so any more
    const next = name ? id : (gallery.records[Math.min(at, gallery.records.length - 1)]?.id ?? null);
    if (next) await go(next);
    else welcome();
    notice(name ? tr`${name} was changed in another tab` : tr("the picture was closed in another tab"), {
      remedy: name ? tr("this is how it stands now") : "",
      seconds: 5,
      key: "tabs",
    });
  });

  function noteView() {
    const { view, middle } = stage;
    const at = { scale: view.scale, x: (middle.x - view.x) / view.scale, y: (middle.y - view.y) / view.scale };
    scene.work?.note({ view: stage.fits ? null : at });
  }

  let still = 0;
  stage.addEventListener("view", () => {
    clearTimeout(still);
    still = setTimeout(noteView, STILL_MS);
  });
  addEventListener("pagehide", noteView);

  return { open, go, close, restore };
}
