/* The pre-flight beside the text: an element with the id live-check and the address in data-address is filled after each
   save (the event part-saved on document). Without this file the tab Check says the same. */
"use strict";
((d) => {
  const box = d.getElementById('live-check');
  if (!box || !box.dataset.address) return;
  const make = (name, text, className) => {
    const element = d.createElement(name);
    if (text) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const link = (text, address) => {
    const element = make('a', text);
    element.href = address;
    return element;
  };
  // A box of this very page is reached without loading it again.
  const placeOf = (finding) =>
    link(finding.place, finding.anchor && d.getElementById(finding.anchor) ? `#${finding.anchor}` : finding.address);
  const lineOf = (finding) => {
    const line = make('li');
    const head = make('p');
    head.append(
      make('span', finding.severity_name, finding.severity === 'advises' ? 'tag off' : 'tag warn'),
      ' ',
      placeOf(finding),
    );
    line.append(head, make('p', finding.message), make('p', finding.advice, 'm'));
    const source = make('p', '', 'm');
    if (finding.body !== 'platform') {
      if (finding.source.url) {
        const name = link(finding.source.name, finding.source.url);
        name.rel = 'noopener noreferrer';
        source.append(name);
      } else {
        source.append(finding.source.name);
      }
      line.append(source);
    }
    return line;
  };
  const countOf = (count) => {
    const line = make('li');
    const language = make('b', count.language);
    language.lang = count.locale;
    line.append(language, ` ${count.text}`);
    if (count.is_over) line.className = 'msg';
    return line;
  };
  const show = (data) => {
    const counts = make('ul', '', 'tags');
    counts.append(...data.counts.map(countOf));
    const findings = make('ul', '', 'rows');
    findings.append(...data.findings.map(lineOf));
    const summary = make('p', data.summary);
    summary.setAttribute('role', 'status');
    // Folded, so that on a telephone the text is not far below; whoever opened it finds it open after the next save.
    const was = box.querySelector('details');
    const more = make('details');
    more.open = Boolean(was && was.open);
    more.append(make('summary', `${box.getAttribute('aria-label')} (${data.findings.length})`), findings);
    box.replaceChildren(...[data.counts.length && counts, summary, data.findings.length && more].filter(Boolean));
    box.hidden = false;
  };
  let turn = 0;
  const look = async () => {
    turn += 1;
    const mine = turn;
    try {
      const answer = await fetch(box.dataset.address, { headers: { Accept: 'application/json' } });
      // Only the newest answer is shown, and one that failed leaves what stands there.
      if (answer.ok && mine === turn) show(await answer.json());
    } catch {
      // The line is down: the next save asks again.
    }
  };
  let waiting;
  d.addEventListener('part-saved', () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 400);
  });
  look();
})(document);
