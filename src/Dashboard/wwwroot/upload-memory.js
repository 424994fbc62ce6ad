// Unfinished uploads, across reloads: where each is on the server, and what was said of it. The file itself cannot be
// kept; a file of the same name, size and date is taken for the same.

const KEY = 'hexcast.uploads';
const LIMIT = 100;
const KEPT_MS = 30 * 24 * 3600 * 1000;

export function fingerprint(file) {
  return `${file.name}|${file.size}|${file.lastModified}`;
}

export function remembered() {
  try {
    const all = JSON.parse(localStorage.getItem(KEY)) ?? [];
    return all.filter((record) => record.url && Date.now() - record.at < KEPT_MS);
  } catch {
    return [];
  }
}

export function remember(record) {
  write([{ ...record, at: Date.now() }, ...others(record)].slice(0, LIMIT));
}

export function forget(record) {
  write(others(record));
}

function others(record) {
  return remembered().filter((other) => other.fingerprint !== record.fingerprint);
}

function write(records) {
  try {
    localStorage.setItem(KEY, JSON.stringify(records));
  } catch {
    // Storage is full or forbidden: uploads go on, only a reload forgets them.
  }
}
