// Proof of work, while a campaign is under attack: form[data-proof] names the address that gives the riddle, and the
// field "proof" takes the solution. It is worked at while the person types, on the browser's own threads (PBKDF2), and
// sent with the form; without this file, or without it in time, the form goes all the same and the server asks otherwise.
((d) => {
  const form = d.querySelector('form[data-proof]');
  const field = form && form.elements.namedItem('proof');
  if (!field || !window.crypto || !crypto.subtle) return;

  const LONGEST_WAIT = 4000;
  const GOOD_FOR = 9 * 60 * 1000; // a minute less than the riddle itself
  let work = null;
  let solvedAt = 0;
  let isSending = false;
  field.value = ''; // browsers bring back what was sent once

  const toBytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const toHex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');

  const solve = async () => {
    const answer = await fetch(form.dataset.proof, { credentials: 'omit', cache: 'no-store' });
    if (!answer.ok) throw new Error(String(answer.status));
    const challenge = await answer.json();
    const { nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
    const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: toBytes(salt), iterations: cost };
    const start = toBytes(nonce);
    const password = new Uint8Array(start.length + 4);
    password.set(start);
    const tail = new DataView(password.buffer, start.length);
    for (let counter = 0; counter < 1e5; counter += 1) {
      tail.setUint32(0, counter);
      const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
      const derived = toHex(await crypto.subtle.deriveBits(derivation, key, keyLength * 8));
      if (derived.startsWith(keyPrefix)) {
        return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey: derived } }));
      }
    }
    throw new Error('not found');
  };

  const begin = () => {
    if (work && (!solvedAt || Date.now() - solvedAt < GOOD_FOR)) return;
    field.value = '';
    solvedAt = 0;
    work = solve().then((solution) => {
      field.value = solution;
      solvedAt = Date.now();
    }).catch(() => { solvedAt = Date.now(); }); // no line: the form goes without
  };

  form.addEventListener('input', begin);
  form.addEventListener('submit', (event) => {
    // A named button does something else than signing.
    if (isSending || (event.submitter && event.submitter.name)) return;
    begin();
    if (solvedAt) return;
    event.preventDefault();
    event.stopPropagation(); // "one press, one submission" counts what is sent
    if (form.hasAttribute('aria-busy')) return;
    form.setAttribute('aria-busy', 'true');
    const wait = new Promise((resolve) => { setTimeout(resolve, LONGEST_WAIT); });
    Promise.race([work, wait]).then(() => {
      isSending = true;
      form.removeAttribute('aria-busy');
      if (form.requestSubmit) form.requestSubmit(event.submitter || undefined);
      else form.submit();
      isSending = false;
    });
  });
  // Back from the next page: what was sent is used up.
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    work = null;
    solvedAt = 0;
    field.value = '';
  });
})(document);
