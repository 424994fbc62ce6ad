// Puts state into the page. Text goes in as text; no markup is ever built from it.
const byId = (id) => document.getElementById(id);

const HEADLINES = {
  uploaded: 'Waiting for its turn',
  processing: 'Getting ready',
  failed: 'This video could not be prepared',
};

// In the order in which they run.
const STAGES = [
  ['probe', 'Reading the source'],
  ['encode_chunk', 'Encoding the picture'],
  ['encode_audio', 'Encoding the sound'],
  ['poster', 'Taking the poster'],
  ['publish', 'Checking the whole'],
];

export function showMedia(media) {
  const { source } = media;
  byId('watch').dataset.state = media.state;
  byId('state').textContent = media.state === 'playable' ? 'playable, still in the works' : media.state;
  byId('title').textContent = media.title || media.filename || media.media_id;
  byId('facts').textContent = source
    ? [clock(source.duration_seconds), `${source.width} × ${source.height}`, rate(source.frame_rate),
      bytes(media.size_bytes)].filter(Boolean).join(' · ')
    : '';
  if (source && source.height > source.width) byId('stage').style.aspectRatio = '1 / 1';

  const playable = media.state === 'playable' || media.state === 'ready';
  byId('curtain').hidden = playable;
  byId('curtain-title').textContent = HEADLINES[media.state] ?? '';
  byId('work').hidden = media.state !== 'processing' && media.state !== 'playable';
  byId('failure').hidden = media.state !== 'failed';
  if (media.state === 'failed') showFailure(media.error ?? {});
  showRenditions(media.renditions ?? []);
}

export function showProgress(media, tasks) {
  const stages = STAGES
    .map(([kind, name]) => ({ name, tasks: tasks.filter((task) => task.kind === kind) }))
    .filter((stage) => stage.tasks.length > 0);
  fill(byId('stages'), stages, (item, stage) => {
    const done = stage.tasks.filter((task) => task.state === 'committed').length;
    const share = mean(stage.tasks.map(fraction));
    const speed = stage.tasks.reduce((sum, task) => sum + (task.state === 'running' ? task.speed ?? 0 : 0), 0);
    item.className = done === stage.tasks.length ? 'stage-done' : '';
    const [name, note] = parts(item, 'span', 'span', 'progress');
    name.textContent = stage.name;
    note.className = 'stage-note';
    note.textContent = [
      done === stage.tasks.length ? 'done' : `${Math.floor(share * 100)} %`,
      stage.tasks.length > 1 && done < stage.tasks.length ? `${done} of ${stage.tasks.length} parts` : '',
      speed > 0 ? `${speed.toFixed(1)}× realtime` : '',
    ].filter(Boolean).join(' · ');
    const bar = item.lastElementChild;
    bar.value = share;
    bar.setAttribute('aria-label', stage.name);
  });

  const curtain = byId('curtain-progress');
  const waiting = media.state === 'processing';
  curtain.hidden = !waiting;
  if (waiting && tasks.length > 0) curtain.value = mean(tasks.map(fraction));
  const current = stages.find((stage) => stage.tasks.some((task) => task.state !== 'committed'));
  byId('curtain-detail').textContent = waiting && current ? current.name : '';
}

export function showControls(player) {
  byId('controls').hidden = !player.isOpen;
  byId('details').hidden = !player.isOpen;
  const select = byId('quality');
  const wanted = ['auto', ...player.qualities().map(String)];
  if (wanted.join() !== [...select.options].map((option) => option.value).join()) {
    select.replaceChildren(...wanted.map((value) => new Option(value === 'auto' ? 'Auto' : `${value}p`, value)));
  }
  select.value = wanted.includes(player.wanted) ? player.wanted : 'auto';
  for (const input of document.querySelectorAll('input[name=format]')) input.checked = input.value === player.format;
}

export function showStats(media, stats) {
  if (!stats || !byId('details').open) return;
  const rows = [
    ['Shown now', `${stats.width} × ${stats.height}`],
    ['Codecs', stats.codecs],
    ['Buffer ahead', `${stats.bufferAhead.toFixed(1)} s`],
    ['Measured bandwidth', bits(stats.bandwidth)],
    ['Frames', `${stats.frames}, ${stats.dropped} dropped`],
    ['Version', media.version ?? ''],
  ];
  const list = byId('stats');
  fill(list, rows, (row, [name, value]) => {
    const [term, text] = parts(row, 'dt', 'dd');
    term.textContent = name;
    text.textContent = value;
  });
  for (const row of byId('renditions').rows) {
    row.className = row.dataset.height && Number(row.dataset.height) === stats.trackHeight ? 'playing-now' : '';
  }
}

export function showNotice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = !text;
}

export function showGone() {
  byId('watch').dataset.state = 'gone';
  byId('state').textContent = 'deleted';
  byId('curtain').hidden = false;
  byId('curtain-title').textContent = 'This video is gone';
  byId('curtain-detail').textContent = 'Somebody deleted it.';
  for (const id of ['controls', 'work', 'failure', 'details', 'curtain-progress']) byId(id).hidden = true;
}

function showFailure(error) {
  byId('failure-message').textContent = error.message ?? '';
  byId('failure-code').textContent = error.code ?? '';
  byId('failure-lines').textContent = error.log_tail ?? '';
  byId('failure-log').hidden = !error.log_tail;
}

function showRenditions(renditions) {
  fill(byId('renditions'), renditions, (row, r) => {
    const sound = r.kind === 'audio';
    const cells = parts(row, 'td', 'td', 'td', 'td', 'td');
    const texts = [
      r.id,
      sound ? `${r.channels} channels, ${r.sample_rate_hz / 1000} kHz` : `${r.width} × ${r.height}, ${rate(r.frame_rate)}`,
      r.codec,
      bits(r.average_bitrate),
      bytes(r.size_bytes),
    ];
    texts.forEach((text, i) => {
      cells[i].textContent = text;
      cells[i].className = i > 2 ? 'number' : '';
    });
    row.dataset.height = sound ? '' : r.height;
  });
}

// One child an item, kept from one call to the next so that a reader's place and the transitions survive.
function fill(parent, items, show) {
  const tag = { UL: 'li', DL: 'div', TBODY: 'tr' }[parent.tagName];
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  while (parent.children.length < items.length) parent.append(document.createElement(tag));
  items.forEach((item, i) => show(parent.children[i], item));
}

function parts(parent, ...tags) {
  if (parent.children.length === 0) parent.append(...tags.map((tag) => document.createElement(tag)));
  return [...parent.children];
}

function fraction(task) {
  return task.state === 'committed' ? 1 : Math.min(1, Math.max(0, task.fraction ?? 0));
}

function mean(numbers) {
  return numbers.length === 0 ? 0 : numbers.reduce((a, b) => a + b, 0) / numbers.length;
}

function clock(seconds) {
  const whole = Math.round(seconds);
  const pad = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

function rate(frames) {
  return frames ? `${Number(frames.toFixed(3))} fps` : '';
}

function bits(perSecond) {
  if (!perSecond) return '–';
  return perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(1)} Mbit/s` : `${Math.round(perSecond / 1e3)} kbit/s`;
}

function bytes(count) {
  if (!count) return '';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power]}`;
}
