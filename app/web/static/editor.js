/* The editor's part that works by itself: it saves each box a moment after the last key, keeps on this device whatever is
   not saved yet, and shows what somebody else wrote meanwhile. Without it each part has a button that does the same. */
"use strict";
((d, w) => {
  const root = d.getElementById('editor');
  const line = d.getElementById('saved');
  if (!root || !line) return;
  const words = root.dataset;
  const boxes = new Map();
  const PAUSE = 1500;
  const LONGEST = 60000;

  // What is not saved yet, on this device: one entry a box, with the version that it was written against.
  const prefix = `hatthalekha:${words.campaign}:`;
  const device = {
    keep(key, value) {
      try { w.localStorage.setItem(prefix + key, JSON.stringify(value)); } catch { /* full or forbidden: the box has it */ }
    },
    drop(key) {
      try { w.localStorage.removeItem(prefix + key); } catch { /* the same */ }
    },
    find(key) {
      try { return JSON.parse(w.localStorage.getItem(prefix + key)); } catch { return null; }
    },
  };

  const make = (name, text, className) => {
    const element = d.createElement(name);
    if (text) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const say = (text) => { if (line.textContent !== text) line.textContent = text; };
  const unsaved = () => [...boxes.values()].some((box) => box.isChanged());

  class Box {
    constructor(area) {
      const form = area.form;
      const key = area.name.slice('text.'.length);
      this.area = area;
      this.item = form.elements.item ? form.elements.item.value : '';
      this.name = key;
      this.version = form.elements[`version.${key}`];
      this.ready = form.elements[`ready.${key}`];
      this.reviewed = form.elements[`reviewed.${key}`];
      this.state = area.parentElement.querySelector('[data-state]');
      this.saved = { text: area.value, ready: this.ready.checked };
      this.wait = PAUSE;
      area.addEventListener('input', () => this.touch());
      this.ready.addEventListener('change', () => this.touch(0));
      if (this.reviewed) this.reviewed.addEventListener('change', () => this.touch(0));
      this.offer();
    }

    isChanged() {
      return this.area.value !== this.saved.text || this.ready.checked !== this.saved.ready ||
        Boolean(this.reviewed && this.reviewed.checked);
    }

    touch(after = PAUSE) {
      if (!this.isChanged()) {
        device.drop(this.area.id);
        return;
      }
      device.keep(this.area.id, { text: this.area.value, version: this.version.value });
      this.area.dataset.unsaved = '';
      say(words.writing);
      this.wait = PAUSE;
      this.later(after);
    }

    later(after) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), after);
    }

    async save() {
      clearTimeout(this.timer);
      if (this.isStopped || this.note || !this.isChanged()) return;
      if (this.isBusy) {
        this.later(PAUSE);
        return;
      }
      this.isBusy = true;
      say(words.saving);
      const sent = { text: this.area.value, ready: this.ready.checked };
      const fields = new URLSearchParams({
        form_token: words.token, item: this.item, [`text.${this.name}`]: sent.text,
        [`version.${this.name}`]: this.version.value,
      });
      if (sent.ready) fields.set(`ready.${this.name}`, 'yes');
      if (this.reviewed && this.reviewed.checked) fields.set(`reviewed.${this.name}`, 'yes');
      try {
        const answer = await fetch(words.address, { method: 'POST', body: fields });
        await this.take(answer, sent);
      } catch {
        // The line is down. What was typed is on this device; try again, more and more slowly.
        say(words.unsaved);
        this.wait = Math.min(this.wait * 2, LONGEST);
        this.later(this.wait);
      } finally {
        this.isBusy = false;
      }
    }

    async take(answer, sent) {
      if (answer.status === 200) {
        const { version, is_ready: isReady, message } = await answer.json();
        this.version.value = version;
        this.saved = { text: sent.text, ready: isReady };
        if (this.area.value.trim() === '' && this.ready.checked) this.ready.checked = isReady;
        if (this.reviewed) { this.reviewed.closest('label').remove(); this.reviewed = null; }
        this.settle(message);
      } else if (answer.status === 409) {
        this.meet(await answer.json());
      } else if (answer.status === 422) {
        const { message } = await answer.json();
        say(message);
      } else if (answer.status === 404 || answer.status === 403) {
        this.isStopped = true;
        say(words.signedOut);
      } else {
        throw new Error(String(answer.status));
      }
    }

    settle(message) {
      this.wait = PAUSE;
      if (this.state) this.state.replaceChildren();
      if (this.isChanged()) {
        this.touch();
        return;
      }
      device.drop(this.area.id);
      delete this.area.dataset.unsaved;
      if (!unsaved()) say(message);
      d.dispatchEvent(new CustomEvent('part-saved'));
    }

    // Somebody was faster: their words are shown, and nothing is decided for anybody.
    meet({ version, text, message }) {
      say(message);
      if (version === undefined) { this.isStopped = true; return; }
      if (this.note) this.note.remove();
      const note = this.note = make('div', '', 'clash');
      note.setAttribute('role', 'alert');
      note.append(make('p', message), make('p', words.shown, 'm'));
      const theirs = make('p', text);
      theirs.lang = this.area.lang;
      const row = make('p', '', 'row');
      const keep = make('button', words.theirs, 'btn');
      const mine = make('button', words.mine, 'btn');
      keep.type = mine.type = 'button';
      const close = () => {
        this.version.value = version;
        this.saved = { text, ready: this.ready.checked };
        note.remove();
        this.note = null;
      };
      keep.addEventListener('click', () => { close(); this.area.value = text; this.settle(message); this.area.focus(); });
      mine.addEventListener('click', () => { close(); this.touch(0); this.area.focus(); });
      row.append(keep, mine);
      note.append(theirs, row);
      this.area.after(note);
    }

    // Words of an earlier visit that never arrived.
    offer() {
      const kept = device.find(this.area.id);
      if (!kept || kept.text === this.area.value) {
        device.drop(this.area.id);
        return;
      }
      const note = make('div', '', 'clash');
      const text = make('p', kept.text);
      text.lang = this.area.lang;
      const row = make('p', '', 'row');
      const use = make('button', words.use, 'btn');
      const drop = make('button', words.drop, 'btn');
      use.type = drop.type = 'button';
      use.addEventListener('click', () => { note.remove(); this.area.value = kept.text; this.touch(0); this.area.focus(); });
      drop.addEventListener('click', () => { note.remove(); device.drop(this.area.id); this.area.focus(); });
      row.append(use, drop);
      note.append(make('p', words.found), text, row);
      this.area.before(note);
    }
  }

  root.querySelectorAll('textarea').forEach((area) => boxes.set(area.id, new Box(area)));
  // The part's own button saves now and leaves the page where it is; those that move or remove do leave it.
  root.addEventListener('submit', (event) => {
    const own = [...boxes.values()].filter((box) => box.area.form === event.target);
    if (!event.submitter || !event.submitter.hasAttribute('data-save')) {
      own.forEach((box) => { box.saved = { text: box.area.value, ready: box.ready.checked }; device.drop(box.area.id); });
      return;
    }
    event.preventDefault();
    own.forEach((box) => box.save());
  });
  w.addEventListener('online', () => boxes.forEach((box) => { box.wait = PAUSE; box.later(0); }));
  w.addEventListener('beforeunload', (event) => { if (unsaved()) event.preventDefault(); });
  // Whoever signs out on a shared telephone leaves no words behind.
  d.querySelectorAll('form[action$="/sign-out"]').forEach((form) => form.addEventListener('submit', () => {
    try {
      Object.keys(w.localStorage).filter((key) => key.startsWith('hatthalekha:')).forEach((key) => w.localStorage.removeItem(key));
    } catch { /* there is nothing to forget */ }
  }));
})(document, window);
