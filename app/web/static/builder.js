/* Who may sign: while its form is filled in, the sentence that it means is asked for and shown. Without this there is a
   button that does the same. */
"use strict";
((d) => {
  const said = d.getElementById('said');
  const form = said && said.closest('form');
  if (!form) return;
  const PAUSE = 300;
  const TIMEOUT = 10000;
  const list = said.querySelector('[data-asked]');
  const nothing = said.querySelector('[data-nothing]');
  let timer = 0;
  let round = 0;

  const show = (answer) => {
    said.querySelectorAll('[data-who]').forEach((line) => {
      const text = answer.who[line.dataset.who];
      if (line.textContent !== text) line.textContent = text;
    });
    list.replaceChildren(...answer.asked.map((text) => {
      const item = d.createElement('li');
      item.textContent = text;
      return item;
    }));
    list.hidden = !answer.asked.length;
    nothing.hidden = Boolean(answer.asked.length);
  };

  const ask = async () => {
    const mine = ++round;
    try {
      const fields = new URLSearchParams(new FormData(form));
      const signal = AbortSignal.timeout(TIMEOUT);
      const answer = await fetch(said.dataset.preview, { method: 'POST', body: fields, signal });
      if (answer.ok && mine === round) show(await answer.json());
    } catch { /* the line is down: the button asks again, and saving says what is meant */ }
  };

  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  said.querySelector('[data-show]').parentElement.hidden = true;
})(document);
