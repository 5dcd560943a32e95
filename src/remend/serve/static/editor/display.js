// What the panel, the bar and the strip show of the picture that is on the stage.

import { $ } from "./elements.js";
import { ask, say, tell } from "./notices.js";
import { wordsFor } from "./repairs.js";
import { counts } from "./review.js";
import { settings } from "./settings.js";
import { verdictOn } from "./verdict.js";
import { nameOfWay } from "./ways.js";
import { tr } from "./words.js";

/**
 * @param {{stage: import("./stage.js").Stage, scene: import("./scene.js").Scene,
 *   gallery: import("./gallery.js").Gallery, strip: import("./filmstrip.js").Filmstrip,
 *   compare: ReturnType<typeof import("./compare.js").compareSlider>,
 *   regionList: import("./regions.js").RegionList, answerList: import("./answers.js").AnswerList}} parts
 */
export function pageDisplay({ stage, scene, gallery, strip, compare, regionList, answerList }) {
  /** @type {(() => void)[]} what else is shown of the picture */
  const others = [];

  function refresh() {
    const now = scene.work;
    if (!now) return;
    const { record } = now;
    showTitle(record);
    $("stage").setAttribute("aria-label", tr`${record.name}, ${record.width} by ${record.height} pixels`);
    // Before the first step and behind the last there may be the crop of a scan.
    const crops = (redo) => (gallery.otherSide(record, redo).length ? "crop" : "");
    const undone = now.past.at(-1)?.label ?? crops(false);
    const redone = now.future.at(-1)?.label ?? crops(true);
    $("undo").disabled = !undone;
    $("redo").disabled = !redone;
    $("undo").title = undone ? tr`Undo ${stepName(undone)} (Ctrl+Z)` : tr("Undo (Ctrl+Z)");
    $("redo").title = redone ? tr`Redo ${stepName(redone)} (Ctrl+Shift+Z)` : tr("Redo (Ctrl+Shift+Z)");
    $("download").disabled = $("save-as").disabled = !now.isMade;
    $("compare").disabled = !now.answer;
    compare.allow(now.answer !== null && record.state !== "rejected");
    const isEmpty = now.mask.isEmpty();
    const share = isEmpty ? 0 : now.mask.count() / (record.width * record.height);
    $("marked").textContent = isEmpty ? tr("nothing marked") : tr`${percent(share)} marked`;
    $("mask-export").disabled = $("mask-clear").disabled = isEmpty;
    regionList.show(now.sifted);
    showSearch(now);
    const entry = now.lastRepair;
    const answers = entry ? entry.answers.map((id) => now.answers.get(id)).filter(Boolean) : [];
    $("answers-card").hidden = !answers.length || Boolean(entry.restored);
    answerList.show(titled(answers), entry?.chosen);
    const isRunning = now.running !== null || gallery.batch !== null;
    $("find").disabled = $("harder").disabled = $("force").disabled = isRunning;
    $("repair").disabled = $("another").disabled = $("three").disabled = isRunning;
    if (!isRunning) $("progress").hidden = true;
    refreshStrip();
    for (const run of others) run();
  }

  /** What the search came to, and the sensitivity that counts. @param {import("./work.js").Work} now */
  function showSearch(now) {
    const verdict = verdictOn(now);
    $("regions-hint").hidden = now.search !== null;
    $("verdict").hidden = verdict === null;
    $("verdict-text").textContent = verdict?.text ?? "";
    $("harder").hidden = !verdict?.harder;
    $("force").hidden = !verdict?.force;
    const percent = Math.round(100 * (now.sifted.sieve?.sensitivity ?? settings.sensitivity));
    const marked = now.regions.filter((region) => region.kept).length;
    $("sensitivity").value = String(percent);
    $("sensitivity").setAttribute("aria-valuetext", now.search ? tr`${percent} %, ${marked} marked` : `${percent} %`);
    $("sensitivity-value").textContent = `${percent} %`;
  }

  function refreshStrip() {
    const { records } = gallery;
    const several = records.length > 1;
    $("strip").hidden = !several;
    if (several) {
      strip.show(
        records.map((record) => ({ ...record, state: gallery.stateOf(record) })),
        gallery.current,
      );
    }
    const record = scene.work?.record;
    $("review").hidden = !(several && (scene.work?.isMade || record?.clean));
    $("accept").setAttribute("aria-pressed", String(record?.state === "accepted"));
    $("reject").setAttribute("aria-pressed", String(record?.state === "rejected"));
    const accepted = records.filter(counts).length;
    $("download-all").disabled = !accepted || gallery.batch !== null;
    $("download-all").textContent = accepted ? tr`Download ${accepted} accepted` : tr("Download accepted");
    $("all").textContent = gallery.batch ? tr("Stop") : tr("Find and repair all");
  }

  /** Show how a job stands, and what it is for. */
  function progress(job, what = "") {
    $("progress").hidden = false;
    const words = what ? `${what}: ${wordsFor(job)}` : wordsFor(job);
    if ($("progress-text").textContent !== words) {
      $("progress-text").textContent = words;
      say(words);
    }
    $("progress-left").textContent = job.left_s ? tr`about ${Math.max(1, Math.round(job.left_s))} s` : "";
    const bar = $("progress-bar");
    if (job.state === "running" && job.progress > 0) bar.value = job.progress;
    else bar.removeAttribute("value");
  }

  /** The same, only while that picture is on the stage. @param {import("./work.js").Work} one */
  const progressOf = (one) => (job, what) => one === scene.work && progress(job, what);

  /**
   * Do what may fail or be cancelled: either is told, and the page shows how things stand then.
   * @template T @param {() => Promise<T>} act
   * @param {(consent: string) => void} [agreed] called with what the user was asked about and agreed to
   * @returns {Promise<T | undefined>}
   */
  async function attempt(act, agreed) {
    try {
      return await act();
    } catch (error) {
      if (error?.name === "AbortError") say(tr("Cancelled"));
      else if (agreed && error?.consent) ask(error.message, error.consent, () => agreed(error.consent));
      else tell(error);
      return undefined;
    } finally {
      refresh();
    }
  }

  gallery.addEventListener("change", refreshStrip);
  return { refresh, onRefresh: (run) => others.push(run), progress, progressOf, attempt };
}

function showTitle({ name, width, height, file }) {
  document.title = tr`${name} – Remend`;
  const title = $("title");
  title.replaceChildren();
  const bold = document.createElement("b");
  bold.textContent = name;
  title.append(bold, ` · ${width} × ${height} · ${kindOf(file)} · ${sizeOf(file)}`);
  title.title = name;
}

/** A step of the history, in words: steps are kept in English. @param {string} label */
export const stepName = (label) => (tr(label) === label ? label.split(" ").map((word) => tr(word)).join(" ") : tr(label));
// What they are called where they are made:
export const STEPS = [
  tr("brush stroke"), tr("eraser"), tr("lasso"), tr("box"), tr("select"), tr("the rest"), tr("grow"), tr("shrink"), tr("clear"),
  tr("find damage"), tr("keep"), tr("throw away"), tr("sensitivity"), tr("repair"), tr("restore"), tr("import mask"),
  tr("what is missing"), tr("on"), tr("off"), tr("what was said"), tr("crop"), tr("marks of another picture"),
];

/** Answers with what people call them; of two alike the second is numbered. */
function titled(answers) {
  const seen = new Map();
  return answers.map((answer) => {
    const name = nameOfWay(answer.method);
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    return { ...answer, title: number > 1 ? `${name} ${number}` : name };
  });
}

const percent = (share) => `${(100 * share).toFixed(share < 0.001 ? 3 : share < 0.1 ? 2 : 0)} %`;
const sizeOf = (file) => (file.size < 1e6 ? `${Math.max(1, Math.round(file.size / 1e3))} kB` : `${(file.size / 1e6).toFixed(1)} MB`);
const kindOf = (file) => (file.name.split(".").pop() ?? "").toUpperCase().replace("JPG", "JPEG");
