// Save as: another format by the server, which keeps depth and metadata; a smaller copy for sharing, a copy
// for the clipboard, or before and after side by side, made here from what is on the stage.

import { $ } from "./elements.js";
import { mayHavePages } from "./header.js";
import { notice, say, tell } from "./notices.js";
import { finished, save } from "./pictures.js";
import { enlarged, repairPages } from "./repairs.js";
import { tr } from "./words.js";

const TYPES = { jpeg: "image/jpeg", webp: "image/webp", png: "image/png" };
const ENDINGS = { jpeg: "jpg", tiff: "tif" };
const GAP = 12; // pixels between before and after
const MOST_PX = 4096; // longest side of a picture that shows both

/**
 * @param {{stage: import("./stage.js").Stage, scene: import("./scene.js").Scene,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>}} parts
 */
export function pictureSaving({ stage, scene, display }) {
  const chosen = () => ({
    format: $("save-format").value,
    share: Number($("save-size").value) / 100,
    quality: Number($("save-quality").value) / 100,
    pages: $("save-pages-field").hidden ? "" : $("save-pages").value.trim(),
  });
  const stem = () => scene.work.record.name.replace(/\.[^.]+$/, "");
  const isMadeHere = ({ format, share, pages }) => !pages && format in TYPES && share <= 1 && (share < 1 || format !== "png");

  /** Say what the choice means, and offer only what goes together. */
  function follow() {
    const choice = chosen();
    const { width, height } = scene.work.record;
    const isOriginal = choice.format === "";
    for (const option of $("save-size").options) {
      const percent = Number(option.value);
      option.disabled = percent !== 100 && (choice.pages !== "" || (percent < 100 && !(choice.format in TYPES)));
    }
    if ($("save-size").selectedOptions[0].disabled) $("save-size").value = "100";
    const { share } = chosen();
    $("save-quality-field").hidden = !["jpeg", "webp"].includes(choice.format);
    $("save-quality-value").textContent = `${$("save-quality").value} %`;
    const size = `${Math.round(width * share)} × ${Math.round(height * share)}`;
    $("save-about").textContent = choice.pages
      ? tr`${size}. The places that were repaired are filled on each of these pages; the other pages stay.`
      : share > 1
      ? tr`${size}. Made larger by a net that was taught to: sharper than stretched.`
      : isOriginal
      ? tr`${size}. The file as it came: every pixel that was not repaired, its depth and its metadata.`
      : isMadeHere({ ...choice, share })
        ? tr`${size}. A copy for sharing, without metadata.`
        : tr`${size}. With its metadata, encoded anew.`;
  }

  async function open() {
    const now = scene.work;
    if (!now?.isMade) return;
    // What was restored as a whole is no matter of places.
    const hasPages = Boolean(now.answer?.patch) && (await mayHavePages(now.record.file));
    if (now !== scene.work) return;
    $("save-pages-field").hidden = !hasPages;
    $("save-pages").value = "";
    follow();
    $("save").showModal();
  }

  /** What the stage shows, that much smaller. @param {import("./pyramid.js").Pyramid} pyramid */
  function drawn(pyramid, share, canvas = null, left = 0) {
    const width = Math.max(1, Math.round(pyramid.width * share));
    const height = Math.max(1, Math.round(pyramid.height * share));
    const place = canvas ?? new OffscreenCanvas(width, height);
    const view = { scale: share, x: left, y: 0 };
    pyramid.draw(place.getContext("2d"), view, { left, top: 0, right: left + width, bottom: height });
    return place;
  }

  async function saveAs() {
    const choice = chosen();
    if (choice.pages && !$("save-pages").reportValidity()) return;
    $("save").close();
    await display.attempt(async () => {
      const ending = ENDINGS[choice.format] ?? choice.format;
      if (choice.pages) {
        const work = scene.work;
        const blob = await repairPages(work, choice.pages.toLowerCase(), choice.format || null, display.progressOf(work));
        const dot = work.record.file.name.lastIndexOf(".");
        save(blob, `${stem()}.repaired${choice.format || dot < 0 ? `.${ending}` : work.record.file.name.slice(dot)}`);
      } else if (choice.share > 1) {
        const { name, blob } = await finished(scene.work, choice.format || null);
        const image = new File([blob], choice.format ? `${stem()}.repaired.${ending}` : name, { type: blob.type });
        const large = await enlarged(scene.work, image, choice.share, display.progressOf(scene.work));
        save(large, image.name);
      } else if (isMadeHere(choice)) {
        const blob = await drawn(stage.current, choice.share).convertToBlob({ type: TYPES[choice.format], quality: choice.quality });
        save(blob, `${stem()}.repaired.${ending}`);
      } else {
        const { name, blob } = await finished(scene.work, choice.format || null);
        save(blob, choice.format ? `${stem()}.repaired.${ending}` : name);
      }
      say(tr("Saved"));
    });
  }

  async function copy() {
    $("save").close();
    await display.attempt(async () => {
      const blob = drawn(stage.current, 1).convertToBlob({ type: "image/png" });
      await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
      notice(tr("the picture is in the clipboard"), { seconds: 4 });
    });
  }

  async function both() {
    $("save").close();
    await display.attempt(async () => {
      const { width, height } = stage.picture;
      const share = Math.min(1, MOST_PX / Math.max(2 * width + GAP, height));
      const half = Math.round(width * share);
      const canvas = new OffscreenCanvas(2 * half + GAP, Math.max(1, Math.round(height * share)));
      const context = canvas.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      drawn(stage.original, share, canvas);
      drawn(stage.current, share, canvas, half + GAP);
      save(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 }), `${stem()}.before-after.jpg`);
    });
  }

  for (const id of ["save-format", "save-size", "save-quality", "save-pages"]) $(id).addEventListener("input", follow);
  $("save-now").addEventListener("click", () => saveAs().catch(tell));
  $("save-copy").addEventListener("click", () => copy().catch(tell));
  $("save-both").addEventListener("click", () => both().catch(tell));
  return { open: () => open().catch(tell) };
}
