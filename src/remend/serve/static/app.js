// Where the parts of the page are joined: controls, keys, the picture on the stage, the server.

import { AnswerList, cropFor, nextMethod } from "./editor/answers.js";
import { maskPng, zip } from "./editor/bytes.js";
import { compareSlider } from "./editor/compare.js";
import { Easel } from "./editor/easel.js";
import { examplePicture } from "./editor/example.js";
import { Filmstrip } from "./editor/filmstrip.js";
import { Gallery } from "./editor/gallery.js";
import { explain, holdTab, listen } from "./editor/keys.js";
import { mostOf } from "./editor/mask.js";
import { notice, say, tell } from "./editor/notices.js";
import { dropped, finished, readMask, save } from "./editor/pictures.js";
import { RegionList, drawRegions, nameOf, regionAt } from "./editor/regions.js";
import { anotherAnswer, findDamage, repairMarked, wordsFor } from "./editor/repairs.js";
import { Scene } from "./editor/scene.js";
import { methods, setTokenAsker } from "./editor/server.js";
import { COLOURS, nextTheme, prefer, settings } from "./editor/settings.js";
import { Stage } from "./editor/stage.js";
import { centred, held } from "./editor/view.js";

const $ = (id) => document.getElementById(id);
const on = (id, run) => $(id).addEventListener("click", run);

const stage = new Stage($("stage"));
const easel = new Easel(stage);
const scene = new Scene(stage);
const gallery = new Gallery();
const strip = new Filmstrip($("thumbs"), (id) => go(id));
const compare = compareSlider(stage, (isOn) => {
  $("compare").setAttribute("aria-pressed", String(isOn));
  $("review").classList.toggle("under", isOn);
});
const regionList = new RegionList($("regions"), { keep: (ids, kept) => work()?.keep(ids, kept), point: pointAt });
const answerList = new AnswerList($("answers"), (id) => {
  const now = work();
  if (now && now.lastRepair?.chosen !== id) now.choose(id);
});
/** @type {{methods: any[], qualities: any[]}} */
let offered = { methods: [], qualities: [] };
let pointed = null;
let batch = null; // the AbortController of Find and repair all
let again = false; // something was painted while a repair ran

const work = () => scene.work;

// ---- opening ---------------------------------------------------------------------------------------

async function open(files) {
  if (!files.length) return;
  const opened = [];
  try {
    for await (const id of gallery.add(files, tell)) {
      opened.push(id);
      if (opened.length === 1) await go(id);
    }
  } catch (error) {
    tell(error);
  }
  if (opened.length > 1) notice(`${opened.length} pictures opened`, { seconds: 4 });
}

/** Put a picture on the stage. */
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
    refresh();
    await makeThumbnails();
    $("stage").focus({ preventScroll: true, focusVisible: false });
    say(`${next.record.name}, ${next.record.width} by ${next.record.height} pixels`);
  } catch (error) {
    tell(error);
    if (!work()) welcome();
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
  const now = work();
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

gallery.addEventListener("loaded", ({ detail: one }) => {
  one.addEventListener("change", () => one === work() && changed());
  one.addEventListener("running", () => one === work() && refresh());
  one.addEventListener("unsaved", ({ detail: error }) => {
    notice("this browser has no room to keep your work over a reload", {
      remedy: `download what you want to keep (${error?.name ?? "storage failed"})`,
      bad: true,
      key: "unsaved",
    });
  });
});
gallery.addEventListener("change", () => refreshStrip());

// ---- what is shown ---------------------------------------------------------------------------------

/** The history of the picture on the stage moved. */
function changed() {
  const now = work();
  now.note({ repaired: now.answer !== null });
  refresh();
  scene
    .refresh()
    .then(makeThumbnails)
    .catch(tell);
}

/** Small pictures of a new answer, for the answers' list and the strip. */
async function makeThumbnails() {
  const now = work();
  const { answer } = now ?? {};
  if (!answer || answer.thumb || scene.shown !== answer.id) return;
  const crop = cropFor(mostOf(now.lastRepair.difference, now.mask), now.mask);
  now.keepThumbnail(answer, await scene.thumbnail(crop));
  now.note({ thumb: await scene.thumbnail() });
  refresh();
}

function refresh() {
  const now = work();
  if (!now) return;
  const { record } = now;
  document.title = `${record.name} – Remend`;
  const title = $("title");
  title.replaceChildren();
  const name = document.createElement("b");
  name.textContent = record.name;
  title.append(name, ` · ${record.width} × ${record.height} · ${kindOf(record.file)} · ${sizeOf(record.file)}`);
  title.title = record.name;
  $("stage").setAttribute("aria-label", `${record.name}, ${record.width} by ${record.height} pixels`);
  const isRunning = now.running !== null || batch !== null;
  $("undo").disabled = !now.past.length;
  $("redo").disabled = !now.future.length;
  $("undo").title = now.past.length ? `Undo ${now.past.at(-1).label} (Ctrl+Z)` : "Undo (Ctrl+Z)";
  $("redo").title = now.future.length ? `Redo ${now.future.at(-1).label} (Ctrl+Shift+Z)` : "Redo (Ctrl+Shift+Z)";
  $("download").disabled = !now.answer;
  $("compare").disabled = !now.answer;
  if (!now.answer && stage.compare !== null) compare.toggle(false);
  const isEmpty = now.mask.isEmpty();
  const share = isEmpty ? 0 : now.mask.count() / (record.width * record.height);
  $("marked").textContent = isEmpty ? "nothing marked" : `${percent(share)} marked`;
  $("mask-export").disabled = $("mask-clear").disabled = isEmpty;
  $("regions-hint").hidden = now.regions.length > 0;
  regionList.show(now.regions);
  const entry = now.lastRepair;
  const answers = entry ? entry.answers.map((id) => now.answers.get(id)).filter(Boolean) : [];
  $("answers-card").hidden = !answers.length;
  answerList.show(answers, entry?.chosen);
  $("find").disabled = $("repair").disabled = $("another-seed").disabled = $("another-method").disabled = isRunning;
  if (!isRunning) $("progress").hidden = true;
  refreshStrip();
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
  const record = work()?.record;
  $("review").hidden = !(several && work()?.answer);
  $("accept").setAttribute("aria-pressed", String(record?.state === "accepted"));
  $("reject").setAttribute("aria-pressed", String(record?.state === "rejected"));
  const accepted = records.filter((one) => one.state === "accepted").length;
  $("download-all").disabled = !accepted || batch !== null;
  $("download-all").textContent = accepted ? `Download ${accepted} accepted` : "Download accepted";
  $("all").textContent = batch ? "Stop" : "Find and repair all";
}

const percent = (share) => `${(100 * share).toFixed(share < 0.001 ? 3 : share < 0.1 ? 2 : 0)} %`;
const sizeOf = (file) => (file.size < 1e6 ? `${Math.max(1, Math.round(file.size / 1e3))} kB` : `${(file.size / 1e6).toFixed(1)} MB`);
const kindOf = (file) => (file.name.split(".").pop() ?? "").toUpperCase().replace("JPG", "JPEG");

// ---- what is done ----------------------------------------------------------------------------------

const chosen = (more = {}) => ({ method: settings.method, quality: settings.quality, seed: 0, sensitivity: settings.sensitivity, ...more });

/** Show how a job stands. */
function progress(job) {
  $("progress").hidden = false;
  const words = wordsFor(job);
  if ($("progress-text").textContent !== words) {
    $("progress-text").textContent = words;
    say(words);
  }
  const bar = $("progress-bar");
  if (job.state === "running" && job.progress > 0) bar.value = job.progress;
  else bar.removeAttribute("value");
}

/** The same, only while that picture is on the stage. */
const progressOf = (one) => (job) => one === work() && progress(job);

async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    if (error?.name === "AbortError") say("Cancelled");
    else tell(error);
    return undefined;
  } finally {
    refresh();
  }
}

async function find() {
  const now = work();
  if (!now || now.running || batch) return;
  const count = await attempt(() => findDamage(now, chosen(), progressOf(now)));
  if (count === undefined) return;
  if (count === 0) {
    notice(now.answer ? "no further damage was found" : "no damage was found", {
      remedy: "paint over it, or raise the sensitivity",
      key: "found",
    });
    return;
  }
  const kinds = new Map();
  for (const { kind } of now.regions) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  say(`Found ${[...kinds].map(([kind, n]) => `${n} ${nameOf(kind, n)}`).join(", ")}`);
}

async function repair() {
  const now = work();
  if (!now || batch) return;
  if (now.running) {
    again = true;
    return;
  }
  if (now.mask.isEmpty()) {
    notice("nothing is marked yet", {
      remedy: "paint over what should go",
      key: "empty",
      action: { label: "Find damage", run: find },
    });
    return;
  }
  do {
    again = false;
    const answer = await attempt(() => repairMarked(now, chosen(), progressOf(now)));
    if (!answer) return;
    say(`Repaired in ${answer.seconds.toFixed(1)} seconds`);
    for (const note of answer.notes) notice(note, { seconds: 6 });
  } while (again && settings.auto && !now.mask.isEmpty() && now === work());
}

/** @param {"seed" | "method"} how */
async function another(how) {
  const now = work();
  const entry = now?.lastRepair;
  if (!entry || now.running || batch) return;
  const answers = entry.answers.map((id) => now.answers.get(id));
  const { method, quality } = now.answer;
  let wanted;
  if (how === "seed") {
    const seeds = answers.filter((answer) => answer.method === method && answer.quality === quality).map((a) => a.seed);
    wanted = chosen({ method, quality, seed: Math.max(...seeds) + 1 });
  } else {
    const next = nextMethod(offered.methods, answers.map((answer) => answer.method));
    if (!next) {
      notice("every method has answered", { remedy: "try the next seed, or paint the mask a little wider" });
      return;
    }
    wanted = chosen({ method: next, seed: 0 });
  }
  const result = await attempt(() => anotherAnswer(now, wanted, progressOf(now)));
  if (!result) return;
  if (result.isNew) say(`Another answer, by ${result.answer.method}`);
  else
    notice(`${wanted.method} gives the same answer with seed ${wanted.seed}`, {
      remedy: "its fill does not depend on the seed here",
      action: { label: "Next method", run: () => another("method") },
    });
}

function undo(redo = false) {
  const now = work();
  if (!now || now.mask.isOpen) return;
  if (now.running) {
    now.running.abort(new DOMException("cancelled", "AbortError"));
    return;
  }
  const entry = redo ? now.redo() : now.undo();
  if (entry) say(`${redo ? "Redone" : "Undone"}: ${entry.label}`);
}

function clearMask() {
  const now = work();
  if (!now || now.mask.isOpen || now.mask.isEmpty()) return;
  now.mask.begin();
  now.mask.unmark(now.mask.snapshot());
  now.push({ kind: "paint", label: "clear", difference: now.mask.commit() });
  say("Mask cleared");
}

async function importMask(file) {
  const now = work();
  if (!now || !file) return;
  await attempt(async () => {
    const fill = await readMask(file, now.mask);
    await now.mask.settled();
    now.mask.begin();
    fill((y, from, to, value) => now.mask.fill(y, from, to, value));
    now.mask.refresh({ left: 0, top: 0, right: now.mask.width, bottom: now.mask.height });
    const difference = now.mask.commit();
    if (difference) now.push({ kind: "paint", label: "import mask", difference });
    else notice("the mask marks nothing new", { remedy: "white marks what to repair, black what stays" });
  });
}

async function exportMask() {
  const { mask, record } = work();
  const png = await maskPng(mask.width, mask.height, (row) => mask.eachSpan(row));
  save(png, `${record.name.replace(/\.[^.]+$/, "")}.mask.png`);
}

async function download() {
  const now = work();
  if (!now?.answer) return;
  $("download").disabled = true;
  await attempt(async () => {
    const { name, blob } = await finished(now);
    save(blob, name);
    say(`${name} downloaded`);
  });
}

function decide(state) {
  const now = work();
  if (!now?.answer || gallery.records.length < 2) return;
  const next = now.record.state === state ? "" : state;
  now.note({ state: next });
  say(next ? `${now.record.name} ${next}` : `${now.record.name} undecided`);
  refresh();
  scene.refresh().catch(tell);
  if (!next) return;
  const { records } = gallery;
  const at = records.indexOf(now.record);
  const open = [...records.slice(at + 1), ...records.slice(0, at)].find((record) => record.repaired && !record.state);
  if (open) go(open.id);
}

/** Find and repair in every picture that has no answer yet; one that fails never stops the rest. */
async function all() {
  if (batch) {
    batch.abort();
    return;
  }
  if (work()?.running) return;
  batch = new AbortController();
  const stop = () => work_?.running?.abort(new DOMException("cancelled", "AbortError"));
  let work_ = null;
  batch.signal.addEventListener("abort", stop);
  const waiting = gallery.records.filter((record) => !record.repaired && record.state !== "rejected");
  for (const record of waiting) gallery.pass(record.id, "waiting");
  refresh();
  const counts = { repaired: 0, clean: 0, failed: 0 };
  for (const [n, record] of waiting.entries()) {
    if (batch.signal.aborted || !gallery.records.includes(record)) break;
    gallery.pass(record.id, "running");
    const step = (job) => {
      progress(job);
      $("progress-text").textContent = `${n + 1} of ${waiting.length}: ${wordsFor(job)}`;
    };
    try {
      work_ = await gallery.work(record.id);
      if (work_.mask.isEmpty()) await findDamage(work_, chosen(), step);
      if (work_.mask.isEmpty()) {
        gallery.pass(record.id, "clean");
        counts.clean++;
        continue;
      }
      await repairMarked(work_, chosen(), step);
      work_.note({ repaired: true });
      gallery.pass(record.id, "");
      counts.repaired++;
    } catch (error) {
      if (error?.name === "AbortError") break;
      gallery.pass(record.id, "failed");
      counts.failed++;
      tell(error);
    }
  }
  for (const record of waiting) if (["waiting", "running"].includes(gallery.passing.get(record.id))) gallery.pass(record.id, "");
  const wasStopped = batch.signal.aborted;
  batch = null;
  refresh();
  const parts = [`${counts.repaired} repaired`];
  if (counts.clean) parts.push(`${counts.clean} without damage`);
  if (counts.failed) parts.push(`${counts.failed} failed`);
  notice(`${wasStopped ? "Stopped: " : ""}${parts.join(", ")}`, { remedy: counts.repaired ? "look at each: accept with A, reject with X" : "" });
}

async function downloadAll() {
  const files = [];
  await attempt(async () => {
    $("download-all").disabled = true;
    for (const record of gallery.records.filter((one) => one.state === "accepted")) {
      const { name, blob } = await finished(await gallery.work(record.id));
      const taken = files.filter((file) => file.original === name).length;
      files.push({ original: name, name: taken ? name.replace(/(\.[^.]*)?$/, `-${taken + 1}$1`) : name, blob });
    }
    save(await zip(files), "remend.zip");
  });
}

// ---- the easel -------------------------------------------------------------------------------------

easel.addEventListener("painted", ({ detail: { difference, label, erased } }) => {
  work().push({ kind: "paint", label, difference });
  if (settings.auto && !erased) repair();
});
easel.addEventListener("size", () => {
  $("size").value = String(Math.round(1000 * easel.share));
  $("size-value").textContent = `${easel.size} px`;
  const across = Math.max(3, (easel.size * stage.view.scale) / (devicePixelRatio || 1));
  $("dot").style.width = $("dot").style.height = `${Math.min(32, across)}px`;
});
easel.addEventListener("tool", () => {
  for (const button of document.querySelectorAll(".tool"))
    button.setAttribute("aria-pressed", String(button.dataset.tool === easel.tool));
  $("size-box").hidden = !easel.usesBrush;
  stage.redraw();
});
easel.addEventListener("pick", ({ detail: point }) => {
  const region = regionAt(work().regions, point, 4 / stage.view.scale);
  if (region) work().keep([region.id], !region.kept);
  else if (!work().regions.length) notice("nothing was found yet to pick from", { action: { label: "Find damage", run: find } });
});
easel.addEventListener("hover", () => {
  if (easel.tool !== "pick" || !work()) return;
  const place = easel.place;
  const point = place && { x: (place.x - stage.view.x) / stage.view.scale, y: (place.y - stage.view.y) / stage.view.scale };
  const id = point ? (regionAt(work().regions, point, 4 / stage.view.scale)?.id ?? null) : null;
  if (id !== pointed) {
    pointAt(id);
    regionList.mark(id);
  }
});

function pointAt(id) {
  if (id === pointed) return;
  pointed = id;
  stage.redraw();
}

stage.above.push((context, view) => {
  if (work()?.regions.length) drawRegions(context, view, work().regions, { all: easel.tool === "pick", pointed });
});

let viewTimer = 0;
stage.addEventListener("view", () => {
  const ratio = devicePixelRatio || 1;
  const shown = Math.round((100 * stage.view.scale) / ratio);
  $("zoom-value").textContent = `${shown} %`;
  $("zoom-value").setAttribute("aria-label", `Zoom ${shown} %: show actual size`);
  easel.dispatchEvent(new Event("size"));
  clearTimeout(viewTimer);
  viewTimer = setTimeout(noteView, 400);
});

function noteView() {
  const { view, middle } = stage;
  const at = { scale: view.scale, x: (middle.x - view.x) / view.scale, y: (middle.y - view.y) / view.scale };
  work()?.note({ view: stage.fits ? null : at, size: easel.size });
}

function actualSize() {
  stage.zoom((devicePixelRatio || 1) / stage.view.scale, easel.place ?? stage.middle);
}

function showOriginal(shown) {
  stage.holdOriginal = shown && work() !== null;
  stage.redraw();
}

// ---- controls --------------------------------------------------------------------------------------

function chooseMethod() {
  const method = offered.methods.find((one) => one.name === settings.method);
  $("method").value = settings.method;
  $("method-help").textContent = method ? capital(method.summary) : "";
  const quality = offered.qualities.find((one) => one.name === settings.quality);
  $("quality-help").textContent = quality ? capital(quality.summary) : "";
  for (const input of document.querySelectorAll("#qualities input")) input.checked = input.value === settings.quality;
}

const capital = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;

async function loadMethods() {
  offered = await methods();
  $("method").replaceChildren(
    ...offered.methods.map(({ name, available }) => {
      const option = new Option(available ? name : `${name} (not installed)`, name);
      option.disabled = !available;
      return option;
    }),
  );
  for (const { name } of offered.qualities) {
    const label = document.createElement("label");
    label.className = "segment";
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "quality";
    input.value = name;
    input.addEventListener("change", () => {
      prefer({ quality: name });
      chooseMethod();
    });
    const text = document.createElement("span");
    text.textContent = name;
    label.append(input, text);
    $("qualities").append(label);
  }
  if (!offered.methods.some((method) => method.name === settings.method && method.available)) prefer({ method: "auto" });
  chooseMethod();
}

$("method").addEventListener("change", () => {
  prefer({ method: $("method").value });
  chooseMethod();
});
$("auto").checked = settings.auto;
$("auto").addEventListener("change", () => prefer({ auto: $("auto").checked }));
$("single-keys").checked = settings.singleKeys;
$("single-keys").addEventListener("change", () => prefer({ singleKeys: $("single-keys").checked }));
$("sensitivity").value = String(100 * settings.sensitivity);
const showSensitivity = () => {
  $("sensitivity-value").textContent = `${$("sensitivity").value} %`;
};
showSensitivity();
$("sensitivity").addEventListener("input", () => {
  prefer({ sensitivity: Number($("sensitivity").value) / 100 });
  showSensitivity();
});
$("size").addEventListener("input", () => {
  easel.share = Number($("size").value) / 1000;
});
for (const button of document.querySelectorAll(".tool")) button.addEventListener("click", () => easel.choose(button.dataset.tool));

// One stop for Tab; the arrow keys go from tool to tool.
const toolButtons = [...document.querySelectorAll(".tool")];
const roam = (to) => toolButtons.forEach((button) => (button.tabIndex = button === to ? 0 : -1));
roam(toolButtons[0]);
$("tools").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = toolButtons[(toolButtons.indexOf(document.activeElement) + step + toolButtons.length) % toolButtons.length];
  roam(next);
  next.focus();
});

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
  $("theme").setAttribute("aria-label", `Theme: ${name}`);
  say(`Theme: ${name}`);
  stage.redraw();
}

const openDialog = (id) => $(id).showModal();
for (const button of document.querySelectorAll("[data-close]"))
  button.addEventListener("click", () => button.closest("dialog").close());

on("choose", () => $("files").click());
on("open", () => $("files").click());
on("choose-folder", () => $("folder").click());
on("example", async () => attempt(async () => open([await examplePicture()])));
on("undo", () => undo());
on("redo", () => undo(true));
on("compare", () => compare.toggle());
on("theme", switchTheme);
on("help", () => openDialog("keys"));
on("download", download);
on("zoom-in", () => stage.zoom(1.25));
on("zoom-out", () => stage.zoom(0.8));
on("zoom-fit", () => stage.fit());
on("zoom-value", actualSize);
on("find", find);
on("repair", repair);
on("cancel", () => {
  batch?.abort();
  work()?.running?.abort(new DOMException("cancelled", "AbortError"));
});
on("another-seed", () => another("seed"));
on("another-method", () => another("method"));
on("mask-import", () => $("mask-file").click());
on("mask-export", exportMask);
on("mask-clear", clearMask);
on("mask-colour", nextColour);
on("accept", () => decide("accepted"));
on("reject", () => decide("rejected"));
on("all", all);
on("download-all", downloadAll);
on("close", close);
// On a phone the bar has no room for these: the options repeat them.
for (const button of document.querySelectorAll("[data-does]")) button.addEventListener("click", () => $(button.dataset.does).click());
on("panel-toggle", () => {
  const isOpen = $("panel").classList.toggle("open");
  $("panel-toggle").setAttribute("aria-expanded", String(isOpen));
});
for (const [id, take] of [
  ["files", (files) => open(files)],
  ["folder", (files) => open(files)],
  ["mask-file", ([file]) => importMask(file)],
]) {
  $(id).addEventListener("change", () => {
    const files = [...$(id).files];
    $(id).value = "";
    take(files);
  });
}
// After a click with a pointer the keys belong to the picture again; who works by keys stays where they are.
$("editor").addEventListener("click", (event) => {
  if (event.detail > 0 && event.target.closest("button") && !event.target.closest(".kind-toggle, #panel-toggle, .answer"))
    $("stage").focus({ preventScroll: true, focusVisible: false });
});

addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  open(files);
});
let depth = 0;
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
  await attempt(async () => open(await dropped(event.dataTransfer)));
});
addEventListener("pagehide", noteView);

// ---- keys ------------------------------------------------------------------------------------------

const tool = (name, key, what) => ({ group: "Tools", keys: [key], shown: key.toUpperCase(), what, run: () => easel.choose(name) });
/** @type {import("./editor/keys.js").Binding[]} */
const bindings = [
  tool("brush", "b", "Brush"),
  tool("eraser", "e", "Eraser (or drag with the right button)"),
  tool("lasso", "l", "Lasso"),
  tool("box", "m", "Box"),
  tool("pick", "v", "Pick found damage"),
  tool("hand", "p", "Hand"),
  { group: "Tools", keys: ["["], shown: "[", what: "Smaller brush (or Ctrl and the wheel)", run: () => easel.resize(1 / 1.2) },
  { group: "Tools", keys: ["]"], shown: "]", what: "Larger brush", run: () => easel.resize(1.2) },
  { group: "Tools", keys: ["k"], shown: "K", what: "Next colour of the mask", run: nextColour },
  { group: "Repair", keys: ["f"], shown: "F", what: "Find damage", run: find },
  { group: "Repair", keys: ["r", "Ctrl+Enter"], shown: "R or Ctrl Enter", what: "Repair what is marked", run: repair },
  { group: "Repair", keys: ["n"], shown: "N", what: "Another answer: next seed", run: () => another("seed") },
  { group: "Repair", keys: ["Shift+n"], shown: "Shift N", what: "Another answer: next method", run: () => another("method") },
  { group: "Repair", keys: ["Delete", "Backspace"], shown: "Delete", what: "Clear the mask", run: clearMask },
  {
    group: "Repair", keys: ["Escape"], shown: "Esc", what: "Give up the stroke, or cancel what runs",
    run: () => (easel.active ? easel.cancel() : $("cancel").click()),
  },
  { group: "Repair", keys: ["Ctrl+z"], shown: "Ctrl Z", what: "Undo", run: () => undo() },
  { group: "Repair", keys: ["Ctrl+Shift+z", "Ctrl+y"], shown: "Ctrl Shift Z", what: "Redo", run: () => undo(true) },
  { group: "Look", keys: [], shown: "Tab", what: "Hold: the original (on the picture)", run: () => {} },
  { group: "Look", keys: ["c"], shown: "C", what: "Before and after slider", run: () => !$("compare").disabled && compare.toggle() },
  { group: "Look", keys: ["+", "="], shown: "+", what: "Zoom in (or the wheel)", run: () => stage.zoom(1.25) },
  { group: "Look", keys: ["-"], shown: "−", what: "Zoom out", run: () => stage.zoom(0.8) },
  { group: "Look", keys: ["0"], shown: "0", what: "Fit the picture", run: () => stage.fit() },
  { group: "Look", keys: ["1"], shown: "1", what: "Actual size", run: actualSize },
  { group: "Look", keys: [], shown: "Space", what: "Hold: drag the picture", run: () => {} },
  { group: "Look", keys: ["t"], shown: "T", what: "Theme: system, light, dark", run: switchTheme },
  { group: "Files", keys: ["Ctrl+o"], shown: "Ctrl O", what: "Open pictures", run: () => $("files").click() },
  { group: "Files", keys: ["Ctrl+s", "d"], shown: "Ctrl S", what: "Download", run: download },
  { group: "Files", keys: ["PageDown"], shown: "Page_down", what: "Next picture", run: () => go(gallery.beside(1)) },
  { group: "Files", keys: ["PageUp"], shown: "Page_up", what: "Picture before", run: () => go(gallery.beside(-1)) },
  { group: "Files", keys: ["a"], shown: "A", what: "Accept, and on to the next", run: () => decide("accepted") },
  { group: "Files", keys: ["x"], shown: "X", what: "Reject, and on to the next", run: () => decide("rejected") },
  { group: "Without a mouse", keys: [], shown: "Arrows", what: "Move the cursor on the picture (Alt: by a pixel)", run: () => {} },
  { group: "Without a mouse", keys: [], shown: "Enter", what: "Put the brush down, lift it (Shift: erase)", run: () => {} },
  { group: "Without a mouse", keys: [], shown: "Shift Arrows", what: "Move the picture", run: () => {} },
  { group: "Without a mouse", keys: ["h", "?"], shown: "H", what: "These keys", run: () => openDialog("keys") },
];
explain(bindings, $("keys-list"));
listen(bindings, () => settings.singleKeys);
holdTab($("stage"), showOriginal);
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

// ---- the start -------------------------------------------------------------------------------------

setTokenAsker(
  () =>
    new Promise((done) => {
      const dialog = $("sign-in");
      $("token").value = "";
      dialog.addEventListener("close", () => done(dialog.returnValue === "enter" ? $("token").value : null), { once: true });
      dialog.returnValue = "";
      dialog.showModal();
    }),
);

$("privacy").textContent = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname)
  ? "Works offline. Your pictures never leave this machine."
  : `Your pictures go to ${location.host} and nowhere else.`;
mixColour();
easel.setSize(24);
loadMethods().catch(tell);
gallery
  .restore()
  .then((id) => id && go(id))
  .catch(() => {
    notice("this browser does not keep your work over a reload", { remedy: "download what you want to keep", key: "unsaved" });
  });
