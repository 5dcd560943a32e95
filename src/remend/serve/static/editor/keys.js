// The keys: one table that both does them and explains them.

/**
 * @typedef {{group: string, keys: string[], shown: string, what: string, run: (event: KeyboardEvent) => void,
 *   anywhere?: boolean}} Binding
 *   `keys`: like "b", "Ctrl+z", "Shift+N"; Ctrl stands for the Command key too
 */

/** @param {KeyboardEvent} event */
function nameOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key));
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

const typesText = (element) =>
  element.matches?.("textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])");

/**
 * @param {Binding[]} bindings
 * @param {() => boolean} single whether keys without Ctrl are wanted
 */
export function listen(bindings, single) {
  const table = new Map();
  for (const binding of bindings) for (const key of binding.keys) table.set(key.replace(/.$/, (c) => c.toLowerCase()), binding);
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const name = nameOf(event);
    const binding = table.get(name.replace(/.$/, (c) => c.toLowerCase()));
    if (!binding || typesText(event.target)) return;
    if (!name.startsWith("Ctrl+") && !single()) return;
    // A focused button or slider keeps the keys that work it.
    if (event.target.matches?.("button, input, summary, [role=slider], [role=radio]") && /^(Enter| |Arrow.*|Home|End|Page.*)$/.test(event.key)) return;
    event.preventDefault();
    binding.run(event);
  });
}

/** The table for people. @param {Binding[]} bindings @param {HTMLElement} place */
export function explain(bindings, place) {
  const groups = new Map();
  for (const binding of bindings) {
    if (!groups.has(binding.group)) groups.set(binding.group, []);
    groups.get(binding.group).push(binding);
  }
  for (const [title, members] of groups) {
    const section = document.createElement("section");
    const head = document.createElement("h3");
    head.textContent = title;
    const list = document.createElement("dl");
    for (const { shown, what } of members) {
      const line = document.createElement("div");
      const term = document.createElement("dt");
      for (const key of shown.split(" ")) {
        if (key === "or") term.append(" or ");
        else {
          const cap = document.createElement("kbd");
          cap.textContent = key.replaceAll("_", " ");
          term.append(cap, " ");
        }
      }
      const text = document.createElement("dd");
      text.textContent = what;
      line.append(term, text);
      list.append(line);
    }
    section.append(head, list);
    place.append(section);
  }
}

/**
 * Tab on the stage: held, it shows the original; tapped, it goes on to the next control as ever.
 * @param {HTMLElement} stage @param {(shown: boolean) => void} show
 */
export function holdTab(stage, show) {
  const TAP_MS = 250;
  let since = null;
  addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (since === null && event.target !== stage) return;
    event.preventDefault();
    if (since !== null) return;
    since = performance.now();
    show(true);
  });
  const release = (event) => {
    if (since === null || (event.type === "keyup" && event.key !== "Tab")) return;
    const held = performance.now() - since;
    since = null;
    show(false);
    if (event.type === "keyup" && held < TAP_MS) focusAfter(stage);
  };
  addEventListener("keyup", release);
  addEventListener("blur", release);
}

function focusAfter(element) {
  const all = [...document.querySelectorAll("button, input, select, summary, [tabindex='0']")].filter(
    (one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility(),
  );
  all[(all.indexOf(element) + 1) % all.length]?.focus();
}
