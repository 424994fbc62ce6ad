// The page's state machine: the server's events come in, the page follows.
//
//   /v1/media/{id}/events ──media──▶ show the state; playable for the first time ─▶ open the player
//                         ──progress▶ show the stages
import { WatchPlayer } from './player.js';
import { showMedia, showProgress, showNotice, showGone, showControls, showStats } from './view.js';

const RECONNECT_MS = 3000;
const STATS_MS = 500;

const main = document.getElementById('watch');
const mediaId = main.dataset.mediaId;
const api = `/v1/media/${mediaId}`;
const player = new WatchPlayer(document.getElementById('video'), api);

let media = null;
let tasks = [];

// For people with the console open, and for tests of the page in a real browser.
window.hexcast = {
  get media() { return media; },
  get player() { return player.shaka; },
  get format() { return player.format; },
  get error() { return player.error; },
  get stats() { return player.stats(); },
  switchFormat: (format) => player.open(format),
  selectQuality: (quality) => player.selectQuality(quality),
};

function follow() {
  const events = new EventSource(`${api}/events`);
  events.addEventListener('media', (event) => take(JSON.parse(event.data)));
  events.addEventListener('progress', (event) => {
    tasks = JSON.parse(event.data).tasks ?? [];
    if (media) showProgress(media, tasks);
  });
  events.addEventListener('error', () => {
    // The browser takes up a broken stream again by itself; a refused one is closed for good.
    if (events.readyState === EventSource.CLOSED) askWhy();
  });
}

async function askWhy() {
  try {
    const answer = await fetch(api);
    if (answer.status === 404) {
      await player.close();
      showGone();
      return;
    }
  } catch {
    // No server: it may come back.
  }
  setTimeout(follow, RECONNECT_MS);
}

function take(news) {
  media = news;
  showMedia(media);
  showProgress(media, tasks);
  player.mediaChanged(media);
}

player.addEventListener('trouble', (event) => showNotice(event.detail));
player.addEventListener('tracks', () => showControls(player));

document.getElementById('quality').addEventListener('change', (event) => player.selectQuality(event.target.value));
document.getElementById('controls').addEventListener('change', (event) => {
  if (event.target.name === 'format') player.open(event.target.value);
});
document.getElementById('controls').addEventListener('submit', (event) => event.preventDefault());
document.getElementById('retry').addEventListener('click', async (event) => {
  event.target.disabled = true;
  try {
    const answer = await fetch(`${api}/retry`, { method: 'POST' });
    showNotice(answer.ok ? '' : (await answer.json()).detail);
  } catch {
    showNotice('The server cannot be reached.');
  }
  event.target.disabled = false;
});

// Keys that video sites have taught people; never while one of the page's own controls has the focus.
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !player.isOpen) return;
  if (event.target.closest('select, input, button, summary, a')) return;
  if (player.key(event.key, event.target === player.video)) event.preventDefault();
});

function refreshStats() {
  if (player.isOpen) showStats(media, player.stats());
}

setInterval(refreshStats, STATS_MS);
document.getElementById('details').addEventListener('toggle', refreshStats);

follow();
