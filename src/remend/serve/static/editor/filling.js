// How to fill: the qualities and methods that the server offers, and the one that is chosen.

import { $ } from "./elements.js";
import { methods } from "./server.js";
import { prefer, settings } from "./settings.js";
import { tr } from "./words.js";

export function fillingChoice() {
  /** @type {{methods: any[], qualities: any[]}} */
  let offered = { methods: [], qualities: [] };

  function show() {
    const method = offered.methods.find((one) => one.name === settings.method);
    $("method").value = settings.method;
    $("method-help").textContent = method ? capital(tr(method.summary)) : "";
    const quality = offered.qualities.find((one) => one.name === settings.quality);
    $("quality-help").textContent = quality ? capital(tr(quality.summary)) : "";
    for (const input of document.querySelectorAll("#qualities input")) input.checked = input.value === settings.quality;
  }

  async function load() {
    const told = await methods();
    // What fills from further pages of a file has nothing to say of one picture.
    offered = { ...told, methods: told.methods.filter((method) => !method.pages) };
    $("method").replaceChildren(
      ...offered.methods.map(({ name, available }) => {
        const option = new Option(available ? name : tr`${name} (not installed)`, name);
        option.disabled = !available;
        return option;
      }),
    );
    for (const { name } of offered.qualities) $("qualities").append(segment(name));
    if (!offered.methods.some((method) => method.name === settings.method && method.available)) prefer({ method: "auto" });
    show();
  }

  function segment(name) {
    const label = document.createElement("label");
    label.className = "segment";
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "quality";
    input.value = name;
    input.addEventListener("change", () => {
      prefer({ quality: name });
      show();
    });
    const text = document.createElement("span");
    text.textContent = tr(name);
    label.append(input, text);
    return label;
  }

  $("method").addEventListener("change", () => {
    prefer({ method: $("method").value });
    show();
  });

  return {
    load,
    /** The methods that can be asked for. @returns {string[]} */
    methods: () => offered.methods.filter((method) => method.available).map((method) => method.name),
  };
}

const capital = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
