// The upload page: files come in by drop or picker, become rows, and go out a few at a time.
import { follow as followEvents } from './events.js';
import { duration, percent, size } from './format.js';
import { UploadItem } from './upload-item.js';
import { fingerprint, forget, remembered } from './upload-memory.js';

const AT_ONCE = 3;
const FILES_LIMIT = 200;
const NAMES_SHOWN = 5;

const BADGES = {
  chosen: ['', 'Ready to upload'],
  waiting: ['', 'Waiting for its turn'],
  uploading: ['running', 'Uploading'],
  paused: ['', 'Paused'],
  stalled: ['running', 'Trying again'],
  missing: ['', 'Cut off'],
  failed: ['failed', 'Failed'],
  uploaded: ['processing', 'Uploaded, waiting for its turn'],
  processing: ['processing', 'Processing'],
  playable: ['playable', 'Playable, still working'],
  ready: ['ready', 'Ready'],
  broken: ['failed', 'Failed'],
};

const ACTIONS = {
  chosen: ['remove'],
  waiting: ['remove'],
  uploading: ['pause', 'remove'],
  paused: ['resume', 'remove'],
  stalled: ['pause', 'remove'],
  missing: ['pick', 'remove'],
  failed: ['retry', 'remove'],
  uploaded: ['open'],
  processing: ['open'],
  playable: ['open'],
  ready: ['open'],
  broken: ['open'],
};

const list = document.getElementById('uploads');
const template = document.getElementById('row');
const rows = new Map();
let following = false;
let fieldCount = 0;

// ---- files come in ----

function add(files) {
  const taken = [...files].slice(0, FILES_LIMIT);
  const beyond = [...files].slice(FILES_LIMIT);
  const doubles = [];
  for (const file of taken) {
    const known = [...rows.keys()].find((item) => item.record.fingerprint === fingerprint(file));
    if (known?.state === 'missing') {
      rejoin(known, file);
    } else if (known) {
      doubles.push(file);
    } else {
      show(new UploadItem({ file, record: { fingerprint: fingerprint(file), name: file.name, size: file.size,
        title: file.name.replace(/\.[^.]+$/, ''), ...defaults() } }));
    }
  }
  saySkipped(doubles, beyond);
  refresh();
}

function saySkipped(doubles, beyond) {
  const words = [
    doubles.length > 0 ? `${doubles.length === 1 ? 'Is in the list already' : 'Are in the list already'}: ${names(doubles)}.` : '',
    beyond.length > 0 ? `More than ${FILES_LIMIT} at a time are not taken; add again: ${names(beyond)}.` : '',
  ].filter(Boolean).join(' ');
  const place = document.getElementById('skipped');
  place.hidden = words === '';
  place.textContent = words;
}

function names(files) {
  const some = files.slice(0, NAMES_SHOWN).map((file) => file.name).join(', ');
  return files.length > NAMES_SHOWN ? `${some} and ${files.length - NAMES_SHOWN} more` : some;
}

function rejoin(item, file) {
  item.file = file;
  item.become('waiting');
  advance();
}

function defaults() {
  const values = {};
  for (const field of document.querySelectorAll('#defaults [data-field]')) values[field.dataset.field] = field.value;
  return values;
}

// ---- rows ----

function show(item) {
  const row = template.content.firstElementChild.cloneNode(true);
  rows.set(item, row);
  for (const label of row.querySelectorAll('[data-label]')) {
    const field = label.parentElement.querySelector('[data-field]');
    field.id = `field-${fieldCount += 1}`;
    label.htmlFor = field.id;
    field.value = item.record[field.dataset.field] ?? '';
    field.addEventListener('input', () => {
      item.record[field.dataset.field] = field.value;
      draw(item);
    });
  }
  for (const [action, words] of Object.entries({
    pause: 'Pause', resume: 'Resume', retry: 'Try again', remove: 'Remove',
  })) {
    const button = row.querySelector(`[data-action=${action}]`);
    button.setAttribute('aria-label', `${words} ${item.name}`);
    button.title = words;
    button.addEventListener('click', () => act(item, action));
  }
  row.querySelector('[data-pick]').setAttribute('aria-label', `Choose ${item.name} again`);
  row.querySelector('[data-pick]').addEventListener('change', (event) => pickAgain(item, event.target));
  row.querySelector('[data-bar]').setAttribute('aria-label', `Progress of ${item.name}`);
  item.addEventListener('change', () => {
    draw(item);
    advance();
  });
  list.append(row);
  draw(item);
}

function draw(item) {
  const row = rows.get(item);
  if (!row) return;
  const part = (name) => row.querySelector(`[data-${name}]`);
  const [state, words] = BADGES[item.state];
  const before = row.dataset.state;
  row.dataset.state = item.state;
  part('title').textContent = item.record.title || item.name;
  part('file').textContent = `${item.name} · ${size(item.size)}`;
  part('badge').dataset.state = state;
  part('badge').textContent = words;
  part('figures').textContent = figures(item);
  const bar = part('bar');
  const processed = ['uploaded', 'processing', 'playable', 'ready', 'broken'].includes(item.state);
  bar.value = processed ? item.fraction : item.sent / (item.size || 1);
  bar.classList.toggle('progress-done', item.state === 'ready');
  bar.hidden = item.state === 'chosen';
  part('fields').hidden = item.state !== 'chosen';
  part('problem').hidden = !item.problem;
  part('problem').textContent = item.problem;
  for (const control of row.querySelectorAll('[data-action]')) {
    control.hidden = !ACTIONS[item.state].includes(control.dataset.action);
  }
  if (processed) row.querySelector('[data-action=open]').href = `/media/${item.mediaId}`;
  if (before !== item.state && ['paused', 'stalled', 'failed', 'uploaded', 'ready', 'broken'].includes(item.state)) {
    announce(`${item.name}: ${words}. ${item.problem}`);
  }
}

function figures(item) {
  switch (item.state) {
    case 'uploading': {
      const speed = item.speed;
      return [`${percent(item.sent / (item.size || 1))} of ${size(item.size)}`,
        speed > 0 ? `${size(speed)}/s` : '',
        speed > 0 && item.sent < item.size ? `${duration((item.size - item.sent) / speed)} left` : '',
      ].filter(Boolean).join(' · ');
    }
    case 'paused': case 'stalled': case 'failed':
      return `${size(item.sent)} of ${size(item.size)}`;
    case 'missing':
      return `${percent(item.sent / (item.size || 1))} is on the server. Choose the same file and it goes on from there.`;
    case 'uploaded': case 'processing': case 'playable':
      return item.fraction > 0 ? percent(item.fraction) : '';
    default:
      return '';
  }
}

// ---- what is done with them ----

async function act(item, action) {
  if (action === 'pause') {
    item.pause();
  } else if (action === 'resume' || action === 'retry') {
    if (action === 'retry') item.tus = null;
    item.become('waiting');
  } else if (action === 'remove') {
    const row = rows.get(item);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    rows.delete(item);
    row.remove();
    (next ?? document.getElementById('main')).focus();
    await item.discard();
  }
  advance();
}

function pickAgain(item, input) {
  const [file] = input.files;
  input.value = '';
  if (!file) return;
  if (fingerprint(file) === item.record.fingerprint) {
    rejoin(item, file);
    return;
  }
  item.become('missing', `That is another file: ${item.name} with ${size(item.size)} is wanted.`);
}

/** Lets as many go as may go at once. */
function advance() {
  const items = [...rows.keys()];
  const free = AT_ONCE - items.filter((item) => item.isActive).length;
  items.filter((item) => item.state === 'waiting').slice(0, Math.max(0, free)).forEach((item) => item.begin());
  if (items.some((item) => ['uploaded', 'processing', 'playable'].includes(item.state))) follow();
  refresh();
}

function refresh() {
  const items = [...rows.keys()];
  const chosen = items.filter((item) => item.state === 'chosen');
  const start = document.getElementById('start');
  document.getElementById('queue').hidden = items.length === 0;
  start.hidden = chosen.length === 0;
  start.textContent = chosen.length === 1 ? 'Upload 1 file' : `Upload ${chosen.length} files`;
  document.getElementById('queue-sum').textContent =
    `${items.length === 1 ? '1 file' : `${items.length} files`} · ${size(items.reduce((sum, item) => sum + item.size, 0))}`;
  document.getElementById('drop').classList.toggle('drop-small', items.length > 0);
}

// ---- after the upload: what becomes of the media ----

function follow() {
  if (following) return;
  following = true;
  const of = (mediaId) => [...rows.keys()].find((item) => item.mediaId === mediaId && !item.isActive);
  followEvents('/v1/events', {
    progress: ({ media_id: mediaId, fraction }) => {
      const item = of(mediaId);
      if (!item || !['uploaded', 'processing', 'playable'].includes(item.state)) return;
      item.fraction = fraction;
      draw(item);
    },
    media: (media) => {
      const item = of(media.media_id);
      if (item) learn(item, media);
    },
  }, {
    opened: () => [...rows.keys()]
      .filter((item) => ['uploaded', 'processing', 'playable'].includes(item.state)).forEach(ask),
  });
}

/** What happened while the stream was not open. */
async function ask(item) {
  try {
    const answer = await fetch(`/v1/media/${item.mediaId}`);
    if (answer.ok) learn(item, await answer.json());
  } catch {
    // The stream says more when it is back.
  }
}

function learn(item, media) {
  if (!['uploaded', 'processing', 'playable'].includes(item.state)) return;
  if (media.state === 'ready') item.fraction = 1;
  if (media.state === 'failed') item.become('broken', media.error?.message ?? '');
  else if (media.state !== item.state) item.become(media.state);
}

function announce(words) {
  document.getElementById('announcements').textContent = words;
}

// ---- wiring ----

document.getElementById('files').addEventListener('change', (event) => {
  add(event.target.files);
  event.target.value = '';
});
document.getElementById('start').addEventListener('click', () => {
  for (const item of rows.keys()) if (item.state === 'chosen') item.become('waiting');
  document.getElementById('queue-title').scrollIntoView({ block: 'nearest' });
});

function sayDefaults() {
  const { preset, policy, tags } = defaults();
  document.querySelector('[data-defaults]').textContent =
    [preset, policy === 'signed' ? 'signed links only' : 'for everyone', tags].filter(Boolean).join(' · ');
}
document.getElementById('defaults').addEventListener('input', sayDefaults);
sayDefaults();

let depth = 0;
const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
const setDropping = (on) => document.body.classList.toggle('dropping', on);
document.addEventListener('dragenter', (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  depth += 1;
  setDropping(true);
});
document.addEventListener('dragover', (event) => {
  if (carriesFiles(event)) event.preventDefault();
});
document.addEventListener('dragleave', (event) => {
  if (!carriesFiles(event)) return;
  depth = Math.max(0, depth - 1);
  setDropping(depth > 0);
});
document.addEventListener('drop', (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  depth = 0;
  setDropping(false);
  add(event.dataTransfer.files);
});

window.addEventListener('online', () => [...rows.keys()].forEach((item) => item.hurry()));
// Only where something would be lost for want of the file.
window.addEventListener('beforeunload', (event) => {
  if ([...rows.keys()].some((item) => item.isActive || item.state === 'waiting')) event.preventDefault();
});

for (const record of remembered()) {
  const item = new UploadItem({ record });
  show(item);
  item.look().then((isThere) => {
    if (isThere) return;
    forget(record);
    rows.get(item)?.remove();
    rows.delete(item);
    refresh();
  });
}
refresh();
