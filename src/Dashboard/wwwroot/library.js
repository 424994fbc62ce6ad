// The library lives: cards follow the server's events.
//
//   /v1/events ──media, deleted──▶ cards that changed are asked for anew, a few at a time
//              ──progress────────▶ the card's own bar
//              ──missed──────────▶ every card is asked for anew, and the page for new ones
import { signIn } from './api.js';
import { follow } from './events.js';
import { localTimes, percent } from './format.js';

const REFRESH_MS = 400;
const AGAIN_MS = 4000;
const BATCH = 50;

const library = document.getElementById('library');
const changed = new Set();
let refreshing = null;

const cardOf = (mediaId) => document.getElementById(`media-${mediaId}`);

function take(media) {
  if (cardOf(media.media_id)) {
    change([media.media_id]);
    return;
  }
  showNew();
}

function showNew() {
  // A new one would push the others away from under the pointer: it waits behind a button.
  if (library.dataset.live === 'first') location.reload();
  else if (library.dataset.live === 'all') document.querySelector('#news .button').hidden = false;
}

function change(mediaIds) {
  mediaIds.forEach((id) => changed.add(id));
  if (changed.size > 0) refreshing ??= setTimeout(refresh, REFRESH_MS);
}

async function refresh() {
  const batch = [...changed].slice(0, BATCH);
  batch.forEach((id) => changed.delete(id));
  const fresh = await cardsAt(`/library/cards?${batch.map((id) => `id=${id}`).join('&')}`);
  if (fresh) {
    show(fresh);
    const there = new Set(fresh.map((card) => card.dataset.mediaId));
    batch.filter((id) => !there.has(id)).forEach(showGone);
  } else {
    batch.forEach((id) => changed.add(id));
  }
  refreshing = changed.size > 0 ? setTimeout(refresh, fresh ? REFRESH_MS : AGAIN_MS) : null;
}

/** The cards of one of the server's pages; null when there is no such answer to be had just now. */
async function cardsAt(address) {
  try {
    const answer = await fetch(address);
    if (answer.status === 401) signIn();
    if (!answer.ok) return null;
    return [...new DOMParser().parseFromString(await answer.text(), 'text/html').querySelectorAll('.media')];
  } catch {
    return null;
  }
}

async function catchUp() {
  change([...library.querySelectorAll('.media')].map((card) => card.dataset.mediaId));
  if (library.dataset.live === 'these') return;
  const fresh = await cardsAt(location.href);
  if (fresh?.some((card) => isNew(card.dataset.mediaId))) showNew();
}

// Ids ascend with time: one below all others came up from the next page for want of another, and is no news.
function isNew(mediaId) {
  const known = [...library.querySelectorAll('.media')].map((card) => card.dataset.mediaId);
  return !known.includes(mediaId) && (known.length === 0 || known.some((id) => id < mediaId));
}

function show(cards) {
  for (const card of cards) {
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

if (library) {
  follow('/v1/events', {
    media: take,
    progress: showProgress,
    deleted: (gone) => showGone(gone.media_id),
  }, { missed: catchUp });
}
