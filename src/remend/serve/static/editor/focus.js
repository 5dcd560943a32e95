// Focus stays where somebody can find it: a control that had it may be switched off or go away, and it would
// fall to the page's body, from where Tab begins at the top again.

import { $ } from "./elements.js";

/** Watch over it from now on. */
export function keepFocus() {
  let last = null;
  let asked = false;
  addEventListener("focusin", ({ target }) => {
    last = target;
  });
  const look = () => {
    asked = false;
    const active = document.activeElement;
    const isLost = !active || active === document.body || active === last;
    if (!last || !isLost || document.querySelector("dialog[open]")) return;
    if (last.isConnected && !last.disabled && last.checkVisibility()) return;
    last = null;
    const fallback = $("editor").hidden ? $("choose") : $("stage");
    fallback.focus({ preventScroll: true });
  };
  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["disabled", "hidden", "class"] };
  new MutationObserver(() => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(look);
  }).observe(document.body, changes);
}
