// Passkeys. A form with data-passkey="get" or "create" asks our address in data-options what the browser is to do, has
// the browser do it, and sends the answer in its field marked data-credential. Without this file the form stays hidden.
((d) => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const toBytes = (text) => {
    const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  };
  const toText = (buffer) => {
    let binary = '';
    new Uint8Array(buffer).forEach((byte) => { binary += String.fromCharCode(byte); });
    return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  };
  const named = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));

  const create = async (options) => {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: toBytes(options.challenge),
        user: { ...options.user, id: toBytes(options.user.id) },
        excludeCredentials: named(options.excludeCredentials),
      },
    });
    const { response } = made;
    return {
      id: made.id,
      rawId: toText(made.rawId),
      type: made.type,
      response: {
        clientDataJSON: toText(response.clientDataJSON),
        attestationObject: toText(response.attestationObject),
        transports: response.getTransports ? response.getTransports() : [],
      },
    };
  };

  const get = async (options) => {
    const found = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: toBytes(options.challenge),
        allowCredentials: named(options.allowCredentials),
      },
    });
    const { response } = found;
    return {
      id: found.id,
      rawId: toText(found.rawId),
      type: found.type,
      response: {
        clientDataJSON: toText(response.clientDataJSON),
        authenticatorData: toText(response.authenticatorData),
        signature: toText(response.signature),
        userHandle: response.userHandle ? toText(response.userHandle) : null,
      },
    };
  };

  const ask = async (form) => {
    const body = new URLSearchParams();
    const token = form.elements.form_token;
    if (token) body.set('form_token', token.value);
    const answer = await fetch(form.dataset.options, { method: 'POST', body });
    if (!answer.ok) throw new Error(String(answer.status));
    const options = await answer.json();
    return form.dataset.passkey === 'create' ? create(options) : get(options);
  };

  d.querySelectorAll('form[data-passkey]').forEach((form) => {
    const field = form.querySelector('[data-credential]');
    const fault = form.querySelector('[data-passkey-fault]');
    let isAsking = false;
    form.hidden = false;
    d.querySelectorAll('[data-no-passkey]').forEach((note) => { note.hidden = true; });
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (isAsking) return;
      isAsking = true;
      fault.hidden = true;
      try {
        field.value = JSON.stringify(await ask(form));
      } catch {
        // Closed by hand, none on this device, no line: nothing was done, and every other way stays open.
        fault.hidden = false;
        return;
      } finally {
        isAsking = false;
      }
      form.submit();
    });
  });
})(document);
