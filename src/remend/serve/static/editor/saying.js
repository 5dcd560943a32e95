// What should go, said in words: typed or spoken, marked by the server. Where several things fit, they are shown
// to choose from.

import { $ } from "./elements.js";
import { notice, say, tell } from "./notices.js";
import { markSaid } from "./repairs.js";
import { listen, methods } from "./server.js";
import { settings } from "./settings.js";
import { canRecord, record } from "./voice.js";
import { tr } from "./words.js";

const THUMB = { width: 96, height: 72 };

/**
 * @param {{stage: import("./stage.js").Stage, scene: import("./scene.js").Scene, gallery: import("./gallery.js").Gallery,
 *   display: ReturnType<typeof import("./display.js").pageDisplay>,
 *   actions: ReturnType<typeof import("./actions.js").pictureActions>}} parts
 */
export function pictureSaying({ stage, scene, gallery, display, actions }) {
  /** @type {{stop: () => void} | null} */
  let recording = null;
  let asked = null; // the picture that the question is about

  /** @param {string} [pick] numbers of a question */
  async function mark(pick = "") {
    const now = scene.work;
    const text = $("say").value.trim();
    if (!now || now.running || now.mask.isOpen || gallery.batch) return;
    hideQuestion();
    if (!text) {
      $("say").focus();
      return;
    }
    let question = null;
    const found = await display.attempt(async () => {
      try {
        return await markSaid(now, text, pick, display.progressOf(now));
      } catch (error) {
        if (!error.choices?.length) throw error;
        question = error;
        return undefined;
      }
    });
    if (question && now === scene.work) showQuestion(question);
    if (!found) return;
    for (const note of found.notes) notice(note, { key: "said", seconds: 6 });
    if (!found.isNew) notice(tr("that is marked already"), { key: "said", seconds: 4 });
    else if (settings.auto) actions.repair();
  }

  function showQuestion({ message, choices }) {
    asked = scene.work;
    $("say-question").textContent = message;
    const all = choiceButton(tr("All of them"), "all");
    $("say-choices").replaceChildren(...choices.map(pictured), all);
    $("say-which").hidden = false;
    $("say-choices").querySelector("button").focus();
    say(message);
  }

  function hideQuestion() {
    asked = null;
    $("say-which").hidden = true;
    $("say-choices").replaceChildren();
  }

  function choiceButton(name, pick) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button choice";
    const label = document.createElement("span");
    label.textContent = name;
    button.append(label);
    button.addEventListener("click", () => mark(pick).catch(tell));
    return button;
  }

  /** A thing to choose, as it looks, with something of what is around it. */
  function pictured({ number, name, box: [left, top, right, bottom] }) {
    const button = choiceButton(name, String(number));
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    Object.assign(canvas, THUMB);
    const around = 1.6 * Math.max(right - left, ((bottom - top) * THUMB.width) / THUMB.height, 24);
    const scale = THUMB.width / around;
    const x = THUMB.width / 2 - (scale * (left + right)) / 2;
    const y = THUMB.height / 2 - (scale * (top + bottom)) / 2;
    stage.original?.draw(canvas.getContext("2d"), { scale, x, y }, { left: 0, top: 0, right: THUMB.width, bottom: THUMB.height });
    button.prepend(canvas);
    return button;
  }

  async function speak() {
    if (recording) {
      recording.stop();
      return;
    }
    try {
      recording = await record();
    } catch (error) {
      notice(tr("the microphone cannot be used"), { remedy: tr("allow it in the browser, or type") });
      return;
    }
    $("say-speak").setAttribute("aria-pressed", "true");
    say(tr("Listening"));
    try {
      const sound = await recording.done;
      const { text } = await listen(sound);
      $("say").value = text;
      $("say").focus(); // the words are shown first: Enter marks
      say(text);
    } catch (error) {
      tell(error);
    } finally {
      recording = null;
      $("say-speak").setAttribute("aria-pressed", "false");
    }
  }

  $("say-form").addEventListener("submit", (event) => {
    event.preventDefault();
    mark().catch(tell);
  });
  $("say-speak").addEventListener("click", () => speak().catch(tell));
  display.onRefresh(() => {
    $("say-go").disabled = Boolean(scene.work?.running) || gallery.batch !== null;
    if (asked && asked !== scene.work) hideQuestion();
  });
  methods()
    .then(({ listens }) => {
      $("say-speak").hidden = !(listens && canRecord());
    })
    .catch(() => {}); // told where methods are needed
}
