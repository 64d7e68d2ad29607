// Checks receipts (c2sp.org/tlog-proof@v1) and reports (docs/verifying.md) in the browser. Files are read here and sent
// nowhere; once the page has loaded, nothing more is fetched. What is found is said in the words of template#words.
// Signatures are checked by the browser's own Ed25519 where it has one, else by @noble/ed25519 3.2.0, kept beside this
// file as it was published.
import { verifyAsync } from './noble-ed25519.js';

const d = document;
const box = d.getElementById('verify');
const subtle = window.crypto && window.crypto.subtle;
const locale = d.documentElement.lang;

const RECEIPT_BYTES = 64 * 1024;
const MANIFEST_BYTES = 1024 * 1024;
const FILE_BYTES = 64 * 1024 * 1024;
const MOST_FILES = 300; // a report has 200 at most, and systems leave some of their own beside them
const HASH_BYTES = 32;
const LONGEST_PATH = 63;
const LEFT_BEHIND = /^(?:\.DS_Store|\._.*|Thumbs\.db|desktop\.ini)$/;

// Not by Intl: browsers leave Khmer out of their data.
const GROUP = { km: '.', en: ',', fr: '\u00a0' };
const inDigits = (text) =>
  (locale === 'km' ? text.replace(/\d/g, (digit) => String.fromCharCode(0x17e0 + Number(digit))) : text);
const showNumber = (number) => inDigits(String(number).replace(/\B(?=(?:\d{3})+$)/g, GROUP[locale]));

// Words

const say = (word, values = {}) => {
  const text = d.getElementById('words').content.querySelector(`[data-word="${word}"]`).textContent;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
};

// The page brings one day of each month, in its own words.
const showMoment = (text) => {
  const [, year, month, day, time] = /^(\d+)-(\d+)-(\d+)T(\d+:\d+)/.exec(text);
  const number = locale === 'fr' && Number(day) === 1 ? '1er' : String(Number(day));
  const sample = say(`month-${Number(month)}`);
  const date = sample.replace(inDigits('22'), inDigits(number)).replace(inDigits('2033'), inDigits(year));
  return `${date}, ${inDigits(time)} (UTC)`;
};

class NotGenuine extends Error {
  constructor(word, values) {
    super(word);
    this.word = word;
    this.values = values;
  }
}

const demand = (condition, word, values) => {
  if (!condition) throw new NotGenuine(word, values);
};

// Bytes

const utf8 = new TextEncoder();

const decodeText = (bytes, word) => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NotGenuine(word);
  }
};

const decode64 = (text, word) => {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new NotGenuine(word);
  }
  // Written in one way only: no spaces, no bits that nothing reads.
  demand(btoa(binary) === text, word);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
};

const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => Array.from(part)));
const isSame = (one, other) => toHex(one) === toHex(other);
const sha256 = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));

// Trees (RFC 9162, section 2.1)

const hashLeaf = (entry) => sha256(join([0], entry));
const hashNode = (left, right) => sha256(join([1], left, right));

const commit = async (salt, opening) => {
  const key = await subtle.importKey('raw', salt, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await subtle.sign('HMAC', key, utf8.encode(opening)));
};

const isIncluded = async (leaf, index, size, path, root) => {
  let at = index;
  let last = size - 1;
  let found = leaf;
  const up = () => {
    at = Math.floor(at / 2); // no bit operations: those end at 32 bits
    last = Math.floor(last / 2);
  };
  for (const each of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      found = await hashNode(each, found);
      while (at !== 0 && at % 2 === 0) up();
    } else {
      found = await hashNode(found, each);
    }
    up();
  }
  return last === 0 && isSame(found, root);
};

// Signed notes (c2sp.org/signed-note)

const verifiers = JSON.parse(box.dataset.keys).map((text) => {
  const [name, id, ...key] = text.split('+');
  return { name, id, key: decode64(key.join('+'), 'unknown_key').slice(1) };
});

const hasSigned = async (key, bytes, signature) => {
  let own;
  try {
    own = await subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
  } catch {
    return verifyAsync(signature, bytes, key, { zip215: false }).catch(() => false);
  }
  return subtle.verify('Ed25519', own, signature, bytes);
};

// Returns the text of a note, and the names of the keys of ours that signed it; `isStrict`: nobody else may have.
const openNote = async (note, word, isStrict) => {
  const cut = note.lastIndexOf('\n\n');
  demand(cut >= 0 && note.endsWith('\n') && note.length > cut + 2, word);
  const text = note.slice(0, cut + 1);
  const signers = [];
  for (const line of note.slice(cut + 2, -1).split('\n')) {
    const [dash, name, data, ...rest] = line.split(' ');
    demand(dash === '—' && name && data && rest.length === 0, word);
    const bytes = decode64(data, word);
    const verifier = verifiers.find((each) => each.name === name && each.id === toHex(bytes.slice(0, 4)));
    demand(verifier || !isStrict, 'unknown_key');
    if (verifier) {
      const signature = bytes.slice(4);
      demand(signature.length === 64 && (await hasSigned(verifier.key, utf8.encode(text), signature)), 'signature');
      signers.push(verifier);
    }
  }
  demand(signers.length > 0, 'unknown_key');
  return { text, signers };
};

const readNumber = (text, word) => {
  demand(/^(?:0|[1-9]\d{0,14})$/.test(text), word);
  return Number(text);
};

// Receipts

const readProof = (text) => {
  const cut = text.indexOf('\n\n');
  demand(cut >= 0, 'damaged');
  const lines = text.slice(0, cut).split('\n').slice(1);
  const extra = lines.length > 0 && lines[0].startsWith('extra ') ? lines.shift().slice(6) : null;
  const position = lines.shift() || '';
  demand(position.startsWith('index ') && lines.length <= LONGEST_PATH, 'damaged');
  const path = lines.map((line) => decode64(line, 'damaged'));
  demand(path.every((each) => each.length === HASH_BYTES), 'damaged');
  return { extra, index: readNumber(position.slice(6), 'damaged'), path, checkpoint: text.slice(cut + 2) };
};

const OPENING = {
  campaign: /^[a-z0-9-]{1,64}$/,
  edition: /^[0-9a-f]{64}$/,
  locale: /^(?:km|en|fr)$/,
  signature: /^[0-9a-f]{32}$/,
  tree: /^signed$/,
};

const readOpening = (extra) => {
  demand(extra !== null, 'opening');
  const text = decodeText(decode64(extra, 'opening'), 'opening');
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    throw new NotGenuine('opening');
  }
  const { salt, opening } = said || {};
  demand(typeof salt === 'string' && /^[0-9a-f]{64}$/.test(salt) && opening && typeof opening === 'object', 'opening');
  const names = Object.keys(opening).sort();
  demand(names.join() === Object.keys(OPENING).join(), 'opening');
  demand(names.every((name) => typeof opening[name] === 'string' && OPENING[name].test(opening[name])), 'opening');
  // Canonical JSON: keys sorted, no spaces.
  return { ...opening, salt: fromHex(salt), canonical: JSON.stringify(opening, names) };
};

const readCheckpoint = (note) => {
  const lines = note.text.split('\n');
  demand(lines.length >= 4, 'damaged');
  const root = decode64(lines[2], 'damaged');
  demand(root.length === HASH_BYTES, 'damaged');
  return { origin: lines[0], size: readNumber(lines[1], 'damaged'), root };
};

const checkReceipt = async (file) => {
  demand(file.size <= RECEIPT_BYTES, 'too_large', { file: file.name });
  const text = decodeText(await readFile(file), 'not_receipt');
  demand(text.startsWith('c2sp.org/tlog-proof@v1\n'), 'not_receipt');
  const proof = readProof(text);
  const note = await openNote(proof.checkpoint, 'damaged', false);
  const head = readCheckpoint(note);
  const opening = readOpening(proof.extra);
  const origins = note.signers.map((each) => `${each.name}/api/v1/campaigns/${opening.campaign}/log/${opening.tree}`);
  demand(origins.includes(head.origin), 'other_log', { origin: head.origin, campaign: opening.campaign });
  const values = { index: showNumber(proof.index), size: showNumber(head.size) };
  demand(proof.index < head.size, 'index', values);
  const leaf = await hashLeaf(await commit(opening.salt, opening.canonical));
  demand(await isIncluded(leaf, proof.index, head.size, proof.path, head.root), 'path');
  return { ...opening, size: head.size, signers: note.signers };
};

// Reports

const FACTS = ['campaign', 'number', 'supersedes', 'issued-at', 'as-of', 'signatures', 'base-url', 'signed-size',
  'removed-size'];

const MOMENT = /^\d{4}-(?:0[1-9]|1[0-2])-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ$/;

const readManifest = (text) => {
  const lines = text.split('\n');
  demand(lines.shift() === 'hatthalekha-report/1' && lines.pop() === '', 'not_manifest');
  const facts = new Map();
  const files = new Map();
  for (const line of lines) {
    const named = /^([0-9a-f]{64}) {2}([\w./-]{1,100})$/.exec(line);
    const fact = /^([a-z0-9-]+): (.+)$/.exec(line);
    demand(named ? !files.has(named[2]) : fact && files.size === 0 && !facts.has(fact[1]), 'not_manifest');
    if (named) files.set(named[2], named[1]);
    else facts.set(fact[1], fact[2]);
  }
  demand(FACTS.every((name) => facts.has(name)) && files.size > 0, 'not_manifest');
  demand(['issued-at', 'as-of'].every((name) => MOMENT.test(facts.get(name))), 'not_manifest');
  readNumber(facts.get('number'), 'not_manifest');
  const [signatures, signed, removed] = ['signatures', 'signed-size', 'removed-size']
    .map((name) => readNumber(facts.get(name), 'not_manifest'));
  demand(signatures === signed - removed, 'sums');
  return { facts, files, signatures };
};

const readFile = async (file) => {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new NotGenuine('unreadable', { file: file.name });
  }
};

// ZIP files

const ZIP_END = 0x06054b50;
const ZIP_ENTRY = 0x02014b50;
const ZIP_FILE = 0x04034b50;

const inflate = async (packed, name) => {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts);
    size += value.length;
    demand(size <= FILE_BYTES, 'too_large', { file: name }); // a small file can unpack to a huge one
    parts.push(value);
  }
};

const unpackEntry = async (bytes, at) => {
  const entry = new DataView(bytes.buffer, at);
  demand(entry.getUint32(0, true) === ZIP_ENTRY, 'bad_zip');
  const [flags, method, nameSize] = [8, 10, 28].map((place) => entry.getUint16(place, true));
  const packedSize = entry.getUint32(20, true);
  const next = at + 46 + nameSize + entry.getUint16(30, true) + entry.getUint16(32, true);
  const path = decodeText(bytes.subarray(at + 46, at + 46 + nameSize), 'bad_zip');
  const start = entry.getUint32(42, true);
  const local = new DataView(bytes.buffer, start);
  demand(local.getUint32(0, true) === ZIP_FILE && [0, 8].includes(method) && (flags & 1) === 0, 'bad_zip');
  const from = start + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  demand(from + packedSize <= bytes.length, 'bad_zip');
  const packed = bytes.subarray(from, from + packedSize);
  return { path, next, content: method === 8 ? await inflate(packed, path) : new Blob([packed]) };
};

// Returns the files in a ZIP as if they had been chosen as a folder: its own, or the one in it where the manifest lies.
const unpack = async (file) => {
  demand(file.size <= 4 * FILE_BYTES, 'too_large', { file: file.name });
  const bytes = await readFile(file);
  const found = [];
  try {
    const view = new DataView(bytes.buffer);
    let end = bytes.length - 22;
    while (end > 0 && view.getUint32(end, true) !== ZIP_END) end -= 1;
    demand(view.getUint32(end, true) === ZIP_END, 'bad_zip');
    const count = view.getUint16(end + 10, true);
    demand(count <= MOST_FILES, 'too_many');
    let at = view.getUint32(end + 16, true);
    for (let number = 0; number < count; number += 1) {
      const entry = await unpackEntry(bytes, at);
      at = entry.next;
      if (!entry.path.endsWith('/')) found.push(entry);
    }
  } catch (fault) {
    throw fault instanceof NotGenuine ? fault : new NotGenuine('bad_zip');
  }
  const manifest = found.find((entry) => /(?:^|\/)manifest$/.test(entry.path));
  const folder = manifest ? manifest.path.slice(0, -'manifest'.length) : '';
  return found.map(({ path, content }) => ({
    name: path.split('/').pop(),
    webkitRelativePath: `/${path.startsWith(folder) ? path.slice(folder.length) : path}`,
    size: content.size,
    arrayBuffer: () => content.arrayBuffer(),
  }));
};

// A chosen folder says where its files lie in it; files that were chosen one by one have a name only, and in a report
// no two files have the same one.
const placeOf = (file, paths) => {
  const whole = (file.webkitRelativePath || '').split('/').slice(1).join('/');
  if (paths.includes(whole)) return whole;
  const alike = paths.filter((path) => path.split('/').pop() === file.name);
  return whole.includes('/') || alike.length !== 1 ? whole || file.name : alike[0];
};

const checkFile = async (file, sum) => {
  if (file.size > FILE_BYTES) return 'file_changed'; // no report has a file as large
  return toHex(await sha256(await readFile(file))) === sum ? 'file_holds' : 'file_changed';
};

const checkReport = async (chosen) => {
  const isZip = chosen.length === 1 && /\.zip$/i.test(chosen[0].name);
  const files = (isZip ? await unpack(chosen[0]) : chosen).filter((file) => !LEFT_BEHIND.test(file.name));
  demand(files.length <= MOST_FILES, 'too_many');
  const manifests = files.filter((file) => file.name === 'manifest');
  demand(manifests.length > 0, 'no_manifest');
  demand(manifests.length === 1, 'two_manifests');
  demand(manifests[0].size <= MANIFEST_BYTES, 'too_large', { file: 'manifest' });
  const bytes = await readFile(manifests[0]);
  const note = await openNote(decodeText(bytes, 'not_manifest'), 'not_manifest', true);
  const manifest = readManifest(note.text);
  const paths = [...manifest.files.keys()];
  const found = new Map();
  for (const file of files) {
    if (file === manifests[0]) continue;
    const path = placeOf(file, paths);
    const sum = manifest.files.get(path);
    let what = 'file_unknown';
    if (found.has(path)) what = 'file_twice';
    else if (sum) what = await checkFile(file, sum);
    found.set(path, what);
  }
  const missing = paths.filter((path) => !found.has(path));
  missing.forEach((path) => found.set(path, 'file_missing'));
  const faults = [...found].filter(([, what]) => !['file_holds', 'file_missing'].includes(what));
  return { ...manifest, found, missing, faults, sum: toHex(await sha256(bytes)), signers: note.signers };
};

// What is shown

const make = (name, text = '', className = '') => {
  const element = d.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  return element;
};

// What is nobody's language: fingerprints, addresses, names of files.
const code = (text) => {
  const element = make('span', text);
  element.lang = 'en';
  element.translate = false;
  return element;
};

const list = (facts) => {
  const rows = make('dl', '', 'facts');
  for (const [name, value] of facts) {
    const row = make('div');
    const said = make('dd');
    said.append(value);
    row.append(make('dt', name), said);
    rows.append(row);
  }
  return rows;
};

const campaignLink = (slug) => {
  const link = code(slug);
  const anchor = make('a');
  anchor.href = `/${locale}/campaigns/${slug}`;
  anchor.append(link);
  return anchor;
};

const signersOf = (found) => code(found.signers.map((each) => `${each.name}+${each.id}`).join(', '));
const heading = (word) => {
  const title = make('p', '', word === 'fails' ? 'msg' : '');
  title.append(make('b', say(word), { fails: '', part_holds: 'tag warn' }[word] ?? 'tag'));
  return title;
};

const showReceipt = (found) => [
  heading('holds'),
  make('p', say('meaning', { size: showNumber(found.size) })),
  list([
    [say('campaign'), campaignLink(found.campaign)],
    [say('edition'), code(found.edition)],
    [say('language'), say(`language-${found.locale}`)],
    [say('size'), showNumber(found.size)],
    [say('signer'), signersOf(found)],
  ]),
];

const showReport = (found) => {
  const { facts } = found;
  const whole = found.missing.length > 0 ? 'part_holds' : 'report_holds';
  const rows = make('ul', '', 'why');
  const others = [...found.found].filter(([path]) => !found.faults.some(([name]) => name === path));
  for (const [path, what] of [...found.faults.sort(), ...others.sort()]) {
    const row = make('li');
    const line = make('span', '', found.faults.length > 0 && !others.some(([name]) => name === path) ? 'msg' : '');
    line.append(code(path), ` ${say(what)}`);
    row.append(line);
    rows.append(row);
  }
  return [
    heading(found.faults.length > 0 ? 'fails' : whole),
    make('p', say('report_meaning', { number: showNumber(facts.get('number')) })),
    rows,
    list([
      [say('campaign'), campaignLink(facts.get('campaign'))],
      [say('signatures'), showNumber(found.signatures)],
      [say('as_of'), showMoment(facts.get('as-of'))],
      [say('issued'), showMoment(facts.get('issued-at'))],
      [say('manifest_sum'), code(found.sum)],
      [say('signer'), signersOf(found)],
    ]),
  ];
};

const showFault = (fault, file) => {
  if (!(fault instanceof NotGenuine)) throw fault;
  return [heading('fails'), make('p', say(fault.word, { file, ...fault.values }))];
};

const newest = new Map();
const answer = async (target, file, work) => {
  newest.set(target, work);
  target.replaceChildren(make('p', say('working'), 'm'));
  let shown;
  try {
    shown = await work();
  } catch (fault) {
    shown = showFault(fault, file);
  }
  // Whoever has chosen something else meanwhile is not told of the file before.
  if (newest.get(target) === work) target.replaceChildren(...shown);
};

const onChosen = (id, check) => {
  const field = d.getElementById(id);
  // The same file chosen again, since it was mended meanwhile, is a change, too.
  field.addEventListener('click', () => { field.value = ''; });
  field.addEventListener('change', () => { if (field.files.length > 0) check([...field.files]); });
};

const start = () => {
  d.getElementById('without-script').hidden = Boolean(subtle);
  if (!subtle) {
    d.getElementById('without-script').textContent = say('insecure');
    return;
  }
  d.getElementById('checks').hidden = false;
  const receiptFound = d.getElementById('receipt-found');
  onChosen('receipt-file', ([file]) => {
    answer(receiptFound, file.name, async () => showReceipt(await checkReceipt(file)));
  });
  const reportFound = d.getElementById('report-found');
  for (const [id, other] of [['report-files', 'report-folder'], ['report-folder', 'report-files']]) {
    onChosen(id, (files) => {
      d.getElementById(other).value = ''; // what is said below is of the one that was chosen last
      answer(reportFound, '', async () => showReport(await checkReport(files)));
    });
  }
  d.getElementById('report-folder-field').hidden = !('webkitdirectory' in d.getElementById('report-folder'));
};

start();
