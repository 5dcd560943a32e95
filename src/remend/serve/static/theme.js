// Before anything is painted: the theme that was chosen. A plain script in the head, so that a page
// that was set to dark never flashes white.
(() => {
  try {
    const theme = localStorage.getItem("remend-theme");
    if (theme) document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's theme holds then.
  }
})();
