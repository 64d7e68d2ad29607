/* The editor's part that works by itself: it saves each box a moment after the last key, keeps on this device whatever is
   not saved yet, and shows what somebody else wrote meanwhile. Without it each part has a button that does the same. */
"use strict";
((d, w) => {
  const root = d.getElementById('editor');
  const line = d.getElementById('saved');
  if (!root || !line) return;
  const words = root.dataset;
  const boxes = [];
  const PAUSE = 1500;
  const LONGEST = 60000;
  const TIMEOUT = 30000;
  let lastSaved = '';
  let isSignedOut = false;
  let leaving = null; // the form whose words go to the server with the page

  // What is not saved yet, on this device: the texts of each box, of this account and no other.
  const prefix = `hatthalekha:${words.account}:${words.campaign}:`;
  const device = {
    keep(key, texts) {
      try {
        if (texts.length) w.localStorage.setItem(prefix + key, JSON.stringify(texts));
        else w.localStorage.removeItem(prefix + key);
      } catch { /* full or forbidden: the box has it */ }
    },
    find(key) {
      try { return JSON.parse(w.localStorage.getItem(prefix + key)) || []; } catch { return []; }
    },
  };

  const make = (name, text, className) => {
    const element = d.createElement(name);
    if (text) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const makeButton = (text, press) => {
    const button = make('button', text, 'btn');
    button.type = 'button';
    button.addEventListener('click', press);
    return button;
  };
  // Two texts that the server, which trims and tidies, keeps as the same one.
  const plain = (text) => text.replace(/[\s\p{Cc}\u202a-\u202e\u2066-\u2069\ufeff]+/gu, ' ').trim();
  const hasUnsaved = (except = null) => boxes.some((box) => box.area.form !== except && box.isChanged());
  const tell = () => {
    const trouble = isSignedOut ? words.signedOut : boxes.map((box) => box.trouble).find(Boolean);
    const doing = boxes.some((box) => box.flight) ? words.saving : hasUnsaved() ? words.writing : lastSaved;
    const text = trouble || doing;
    if (text && line.textContent !== text) line.textContent = text;
  };

  class Box {
    constructor(area) {
      const { elements } = area.form;
      const name = area.name.slice('text.'.length);
      this.area = area;
      this.item = elements.namedItem('item')?.value ?? ''; // a list of controls has a method of that name
      this.name = name;
      this.version = elements[`version.${name}`];
      this.source = elements[`source.${name.split('.')[0]}`]; // which version of the source stands beside it
      this.ready = elements[`ready.${name}`];
      this.reviewed = elements[`reviewed.${name}`];
      this.state = area.parentElement.querySelector('[data-state]');
      // What was refused is shown again as it was typed, and stands nowhere else.
      const isRefused = area.hasAttribute('aria-invalid');
      this.saved = { text: isRefused ? null : area.defaultValue, ready: this.ready.defaultChecked };
      this.pending = null; // what was sent and not answered: it may have arrived
      this.flight = null;
      this.trouble = '';
      this.earlier = new Set();
      this.wait = PAUSE;
      area.addEventListener('input', () => this.touch());
      this.ready.addEventListener('change', () => this.touch(0));
      if (this.reviewed) this.reviewed.addEventListener('change', () => this.touch(0));
    }

    isChanged() {
      return Boolean(this.pending) || this.area.value !== this.saved.text || this.ready.checked !== this.saved.ready ||
        Boolean(this.reviewed && this.reviewed.checked);
    }

    // Begin with what the server says; other words are offered, and nothing is put over anybody's.
    begin() {
      const { area } = this;
      const found = device.find(area.id);
      if (area.value !== area.defaultValue && d.activeElement !== area) {
        found.unshift(area.value); // the browser has filled in what was typed before
        area.value = area.defaultValue;
        this.ready.checked = this.ready.defaultChecked;
      }
      const news = found.filter((text) => plain(text) !== plain(area.value));
      new Set(news).forEach((text) => this.offer(text));
      this.keep();
      if (this.isChanged() && this.saved.text !== null) this.touch();
    }

    keep() {
      const texts = this.area.value === this.saved.text ? [] : [this.area.value];
      device.keep(this.area.id, [...texts, ...this.earlier]);
    }

    touch(after = PAUSE) {
      leaving = null;
      this.keep();
      if (!this.note && !this.pending && !this.isStopped) this.complain('');
      this.area.toggleAttribute('data-unsaved', this.isChanged());
      tell();
      this.wait = PAUSE;
      this.later(after);
    }

    later(after) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), after);
    }

    // What stands in the way is said in the line, and beside the box where the box has to change.
    complain(trouble, isHere = false) {
      this.trouble = trouble;
      this.fault = this.fault || d.getElementById(`${this.area.id}-fault`);
      if (this.fault && !(isHere && trouble)) {
        this.fault.remove();
        this.fault = null;
        this.area.removeAttribute('aria-invalid');
        this.area.removeAttribute('aria-describedby');
        this.area.parentElement.classList.remove('bad');
      }
      if (!isHere || !trouble) return;
      if (!this.fault) {
        this.fault = make('p', '', 'msg');
        this.fault.id = `${this.area.id}-fault`;
        this.area.before(this.fault);
      }
      this.fault.textContent = trouble;
      this.area.setAttribute('aria-invalid', 'true');
      this.area.setAttribute('aria-describedby', this.fault.id);
      this.area.parentElement.classList.add('bad');
    }

    async save() {
      clearTimeout(this.timer);
      if (this.flight) {
        await this.flight;
        return this.save();
      }
      if (isSignedOut || this.note || this.isStopped || !this.isChanged()) return undefined;
      this.flight = this.send();
      tell();
      await this.flight;
      this.flight = null;
      tell();
      return undefined;
    }

    async send() {
      // What got no answer is sent again as it was: if it had arrived after all, newer words would clash with it.
      const sent = this.pending = this.pending || {
        text: this.area.value, ready: this.ready.checked, reviewed: Boolean(this.reviewed && this.reviewed.checked),
      };
      const fields = new URLSearchParams({
        form_token: words.token, item: this.item, [`text.${this.name}`]: sent.text,
        [`version.${this.name}`]: this.version.value,
      });
      if (this.source) fields.set(this.source.name, this.source.value);
      if (sent.ready) fields.set(`ready.${this.name}`, 'yes');
      if (sent.reviewed) fields.set(`reviewed.${this.name}`, 'yes');
      try {
        const signal = AbortSignal.timeout(TIMEOUT);
        const answer = await fetch(words.address, { method: 'POST', body: fields, signal });
        if (answer.status <= 500) this.pending = null;
        await this.take(answer, sent);
      } catch {
        // The line is down. What was typed is on this device; try again, more and more slowly.
        this.complain(words.unsaved);
        this.wait = Math.min(this.wait * 2, LONGEST);
        this.later(this.wait);
      }
    }

    async take(answer, sent) {
      if (answer.status === 200) {
        this.settle(await answer.json(), sent);
      } else if (answer.status === 409) {
        this.meet(await answer.json(), sent);
      } else if (answer.status === 422) {
        this.complain((await answer.json()).message, true);
      } else if (answer.status === 404 || answer.status === 403) {
        isSignedOut = true;
      } else {
        throw new Error(String(answer.status));
      }
    }

    settle({ version, is_ready: isReady, message }, sent) {
      // A box that the server would not have as ready, an empty one, is not asked for again.
      if (sent.ready && !isReady && String(version) === this.version.value) this.ready.checked = false;
      this.version.value = version;
      if (this.source && this.area.lang === words.source) this.source.value = version;
      this.saved = { text: sent.text, ready: isReady };
      if (this.reviewed && (sent.reviewed || isReady)) {
        this.reviewed.closest('label').remove();
        this.reviewed = null;
      }
      this.mark(isReady);
      this.complain('');
      this.wait = PAUSE;
      lastSaved = message;
      this.keep();
      this.area.toggleAttribute('data-unsaved', this.isChanged());
      if (this.isChanged()) this.later(PAUSE);
      d.dispatchEvent(new CustomEvent('part-saved'));
    }

    mark(isReady) {
      if (!this.state || this.reviewed) return;
      if (plain(this.saved.text) === '') this.state.replaceChildren(make('span', words.missing, 'tag warn'));
      else if (isReady) this.state.replaceChildren();
      else this.state.replaceChildren(make('span', words.draft, 'tag off'));
    }

    // Somebody was faster: their words are shown, and nothing is decided for anybody.
    meet({ version, text, is_ready: isReady, pieces, message }, sent) {
      this.complain(message);
      if (version === undefined) {
        this.isStopped = true;
        return;
      }
      const close = () => {
        this.version.value = version;
        this.saved = { text, ready: isReady };
        this.note.remove();
        this.note = null;
        this.complain('');
        this.area.focus();
      };
      const theirs = make('p', text);
      const changed = make('p', '');
      theirs.lang = changed.lang = this.area.lang;
      pieces.forEach(([kind, piece]) => {
        if (kind === 'same') {
          changed.append(piece);
          return;
        }
        const element = make(kind === 'removed' ? 'del' : 'ins', '');
        const said = make('span', `${kind === 'removed' ? words.out : words.in} `, 'vh');
        said.lang = d.documentElement.lang;
        element.append(said, piece);
        changed.append(element);
      });
      const row = make('p', '', 'row');
      row.append(
        makeButton(words.theirs, () => {
          const typed = this.area.value;
          close();
          this.area.value = text;
          if (plain(typed) !== plain(sent.text)) this.offer(typed); // typed since, and in no history
          this.ready.checked = isReady;
          this.mark(isReady);
          this.touch();
        }),
        makeButton(words.mine, () => { close(); this.touch(0); }),
      );
      this.note = make('div', '', 'clash');
      this.note.setAttribute('role', 'alert');
      this.note.append(
        make('p', message), make('p', words.shown, 'm'), theirs, make('p', words.changed, 'm'), changed, row,
      );
      this.area.after(this.note);
    }

    // Words of an earlier visit that never arrived: on this device until somebody has decided.
    offer(text) {
      this.earlier.add(text);
      const note = make('div', '', 'clash');
      const decide = () => {
        note.remove();
        this.earlier.delete(text);
        this.area.focus();
      };
      const kept = make('p', text);
      kept.lang = this.area.lang;
      const row = make('p', '', 'row');
      row.append(
        makeButton(words.use, () => { this.area.value = text; decide(); this.touch(0); }),
        makeButton(words.drop, () => { decide(); this.touch(); }),
      );
      note.append(make('p', words.found), kept, row);
      this.area.before(note);
    }
  }

  // Everything that can be saved, with what was typed while the last of it was on its way.
  const flush = async () => {
    await Promise.all(boxes.map((box) => box.save()));
    await Promise.all(boxes.map((box) => box.save()));
  };

  // After signing in again elsewhere: a new session has another token. Somebody else's gets none of these words.
  const comeBack = async () => {
    if (!isSignedOut) return;
    try {
      const page = await (await fetch(w.location.pathname, { signal: AbortSignal.timeout(TIMEOUT) })).text();
      const token = /data-token="([^"]+)"/.exec(page);
      if (!token || !page.includes(`data-account="${words.account}"`)) return;
      words.token = token[1];
      d.querySelectorAll('input[name=form_token]').forEach((field) => { field.value = token[1]; });
      isSignedOut = false;
      await flush();
    } catch { /* still away */ }
  };

  root.querySelectorAll('textarea').forEach((area) => boxes.push(new Box(area)));
  boxes.forEach((box) => box.begin());

  // The part's own button saves now and leaves the page where it is; those that move, remove or add leave it, once
  // everything is saved that can be.
  let passing = null;
  d.querySelector('main').addEventListener('submit', async (event) => {
    const { target: form, submitter } = event;
    if (!form.getAttribute('action').startsWith(words.address.replace(/\/part$/, ''))) return;
    const isSaving = Boolean(submitter && submitter.hasAttribute('data-save'));
    if (passing === form || (!isSaving && !hasUnsaved())) {
      passing = null;
      leaving = form;
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    await comeBack();
    await flush();
    if (isSaving || isSignedOut || boxes.some((box) => box.pending)) return;
    passing = form;
    form.requestSubmit(submitter);
  });
  w.addEventListener('online', () => boxes.forEach((box) => box.save()));
  w.addEventListener('focus', comeBack);
  d.addEventListener('visibilitychange', () => {
    if (d.visibilityState === 'visible') comeBack();
    else boxes.forEach((box) => box.save());
  });
  w.addEventListener('beforeunload', (event) => { if (hasUnsaved(leaving)) event.preventDefault(); });
  // The line grows with what it says, and must not stand over the box that has the focus.
  const bar = line.parentElement;
  new ResizeObserver(() => { d.documentElement.style.scrollPaddingBottom = `${bar.offsetHeight + 24}px`; }).observe(bar);
})(document, window);
