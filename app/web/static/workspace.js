/* Behind the sign-in: what every page of the workspace may use. Nothing here is needed to use a page. */
"use strict";
((d, w) => {
  // Whoever signs out on a shared telephone leaves no words behind: the editor keeps there what is not saved yet.
  d.querySelectorAll('form[action$="/sign-out"]').forEach((form) => form.addEventListener('submit', () => {
    try {
      const kept = Object.keys(w.localStorage).filter((key) => key.startsWith('hatthalekha:'));
      kept.forEach((key) => w.localStorage.removeItem(key));
    } catch { /* there is nothing to forget */ }
  }));
})(document, window);
