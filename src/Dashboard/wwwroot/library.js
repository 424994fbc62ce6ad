// The library lives: cards follow the server's events.
//
//   /v1/events ──media, deleted──▶ cards that changed are asked for anew, a few at a time
//              ──progress────────▶ the card's own bar
import { localTimes, percent } from './format.js';

const REFRESH_MS = 400;
const BATCH = 50;

const library = document.getElementById('library');
const changed = new Set();
let refreshing = null;

const cardOf = (mediaId) => document.getElementById(`media-${mediaId}`);

function follow() {
  const events = new EventSource('/v1/events');
  events.addEventListener('media', (event) => take(JSON.parse(event.data)));
  events.addEventListener('progress', (event) => showProgress(JSON.parse(event.data)));
  events.addEventListener('deleted', (event) => showGone(JSON.parse(event.data).media_id));
}

function take(media) {
  if (cardOf(media.media_id)) {
    changed.add(media.media_id);
    refreshing ??= setTimeout(refresh, REFRESH_MS);
    return;
  }
  // A new one would push the others away from under the pointer: it waits behind a button.
  if (library.dataset.live === 'first') location.reload();
  else if (library.dataset.live === 'all') document.querySelector('#news .button').hidden = false;
}

async function refresh() {
  const batch = [...changed].slice(0, BATCH);
  batch.forEach((id) => changed.delete(id));
  try {
    const answer = await fetch(`/library/cards?${batch.map((id) => `id=${id}`).join('&')}`);
    if (answer.ok) show(await answer.text());
  } catch {
    // No server: the stream comes back when it does, and begins with what has changed.
  }
  refreshing = changed.size > 0 ? setTimeout(refresh, REFRESH_MS) : null;
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, 'text/html');
  for (const card of fresh.querySelectorAll('.media')) {
    const old = cardOf(card.dataset.mediaId);
    if (!old) continue;
    const focused = old.contains(document.activeElement);
    const state = card.dataset.state;
    const said = old.dataset.state !== state && (state === 'ready' || state === 'failed');
    localTimes(card);
    old.replaceWith(card);
    if (focused) card.querySelector('a').focus();
    if (said) announce(card.querySelector('.media-title').textContent);
  }
}

function showProgress({ media_id: mediaId, fraction }) {
  const card = cardOf(mediaId);
  const bar = card?.querySelector('progress');
  if (!bar) return;
  bar.value = fraction;
  card.querySelector('[data-cell]')?.setAttribute('stroke-dasharray', `${fraction * 100} 100`);
  card.querySelector('[data-cell-words], [data-percent]').textContent = percent(fraction);
}

function showGone(mediaId) {
  const card = cardOf(mediaId);
  if (!card) return;
  card.classList.add('media-gone');
  card.querySelector('.media-status').textContent = 'Deleted';
  card.querySelector('a').removeAttribute('href');
}

function announce(words) {
  document.getElementById('announcements').textContent = words;
}

if (library) follow();
