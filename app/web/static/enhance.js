// Enhancement only: every page works without this file.
((d) => {
  // The error summary takes the focus; its links bring the label into view, then focus the field.
  const summary = d.querySelector('[data-sum]');
  if (summary) {
    summary.focus();
    summary.addEventListener('click', (event) => {
      const link = event.target.closest('a');
      const field = link && d.getElementById(link.hash.slice(1));
      if (!field) return;
      event.preventDefault();
      (field.closest('fieldset') || d.querySelector(`label[for="${field.id}"]`) || field).scrollIntoView();
      field.focus({ preventScroll: true });
    });
  }
  // One press, one submission. Another button of the same form still works.
  let sent;
  d.addEventListener('submit', (event) => {
    if (sent && sent === event.submitter) event.preventDefault();
    sent = event.submitter;
    setTimeout(() => { sent = null; }, 4000);
  });
  // Copying a link: offered only where the clipboard works.
  d.querySelectorAll('[data-copy]').forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.setAttribute('aria-live', 'polite');
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(d.getElementById(button.dataset.copy).value);
      button.textContent = button.dataset.done;
    });
  });
  // The telephone's own way to share, where it has one.
  d.querySelectorAll('[data-share]').forEach((button) => {
    if (!navigator.share) return;
    button.parentElement.hidden = false;
    button.addEventListener('click', () => navigator.share({ title: d.title, url: button.dataset.share }).catch(() => {}));
  });
})(document);
