/* Reads a chosen campaign file into the box that is sent. Without it the file is pasted. */
"use strict";
((d) => {
  const box = d.querySelector('[data-file]');
  const text = d.getElementById('file');
  const tooLarge = d.getElementById('too-large');
  if (!box || !text) return;
  box.hidden = false;
  // As it travels: most letters of Khmer take nine bytes of a form.
  const fits = () => new URLSearchParams({ file: text.value }).toString().length <= Number(tooLarge.dataset.most);
  d.getElementById('chosen').addEventListener('change', async (event) => {
    const file = event.target.files[0];
    if (!file) return;
    text.value = await file.text();
    tooLarge.hidden = fits();
  });
  text.form.addEventListener('submit', (event) => {
    tooLarge.hidden = fits();
    if (!tooLarge.hidden) event.preventDefault();
  });
})(document);
