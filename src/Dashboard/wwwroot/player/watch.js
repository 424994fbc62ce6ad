// The watch page and the embedded player.
import { wireCopy } from './copy.js';
import { Player } from './player.js';
import { listen } from './shortcuts.js';
import { clock, frameRate } from './format.js';
import { setText } from './dom.js';

const player = new Player(document.getElementById('player'));
listen(player);

// For people with the console open, and for tests of the page in a real browser.
window.hexcast = {
  player,
  get state() {
    return player.state;
  },
  get stats() {
    return player.engine.stats();
  },
  get trouble() {
    return player.trouble;
  },
  get error() {
    return player.engine.error;
  },
};

const STATES = {
  uploaded: 'Waiting',
  processing: 'In the works',
  playable: 'Still in the works',
  ready: 'Ready',
  failed: 'Failed',
};

const badge = document.getElementById('state');
const facts = document.getElementById('facts');

player.addEventListener('change', () => {
  const { state } = player;
  if (!state || !badge) return;
  badge.hidden = state.state === 'ready';
  badge.dataset.state = state.state;
  setText(badge, STATES[state.state] ?? state.state);
  const tallest = player.engine.qualities()[0]?.height;
  setText(
    facts,
    [
      state.duration_seconds > 0 ? clock(state.duration_seconds) : '',
      tallest ? `up to ${tallest}p` : '',
      frameRate(player.engine.active?.frameRate),
    ]
      .filter(Boolean)
      .join(' · '),
  );
});

for (const button of document.querySelectorAll('[data-copy]')) {
  wireCopy(button, () => new URL(button.dataset.copy, location.href).href);
}

for (const button of document.querySelectorAll('[data-shortcuts]')) {
  button.addEventListener('click', () => player.showHelp());
}

player.start();
