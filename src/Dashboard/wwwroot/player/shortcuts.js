// The keyboard: one table for what the keys do, for the help dialog, and for docs/api/playback.md (a test compares).
import { h } from './dom.js';

export const SHORTCUTS = [
  { keys: ['Space', 'K'], does: 'Play or pause', run: (p) => p.togglePlay() },
  { keys: ['←', '→'], does: 'Back or forward 5 seconds', run: (p, key) => p.skip(key === 'arrowleft' ? -5 : 5) },
  { keys: ['J', 'L'], does: 'Back or forward 10 seconds', run: (p, key) => p.skip(key === 'j' ? -10 : 10) },
  { keys: ['0 … 9'], does: 'Go to that tenth of the video', run: (p, key) => p.seekToShare(Number(key) / 10) },
  {
    keys: ['↑', '↓'],
    does: 'Louder or quieter',
    run: (p, key) => p.changeVolume(key === 'arrowup' ? 0.05 : -0.05),
  },
  { keys: ['M'], does: 'Sound off or on', run: (p) => p.toggleMuted() },
  { keys: ['<', '>'], does: 'Slower or faster', run: (p, key) => p.changeSpeed(key === '<' ? -1 : 1) },
  { keys: ['C'], does: 'Subtitles on or off', run: (p) => p.toggleCaptions() },
  { keys: ['F'], does: 'Full screen', run: (p) => p.toggleFullscreen() },
  { keys: ['P'], does: 'Picture in picture', run: (p) => p.togglePictureInPicture() },
  { keys: ['I'], does: 'Statistics', run: (p) => p.toggleStatistics() },
  { keys: ['?'], does: 'This list', run: (p) => p.showHelp() },
];

const NAMES = {
  Space: [' '],
  '←': ['arrowleft'],
  '→': ['arrowright'],
  '↑': ['arrowup'],
  '↓': ['arrowdown'],
  '0 … 9': [...'0123456789'],
};
const BY_KEY = new Map(
  SHORTCUTS.flatMap((shortcut) =>
    shortcut.keys.flatMap((key) => NAMES[key] ?? [key.toLowerCase()]).map((key) => [key, shortcut]),
  ),
);

// Keys that an element needs for itself stay its own.
const TYPING = 'input, textarea, select, [contenteditable]';
const PRESSING = 'button, a, summary, [role=menuitem], [role=menuitemradio], [role=menuitemcheckbox]';

export function listen(player) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    if (target.closest?.(TYPING) || document.querySelector('dialog[open]')) return;
    const key = event.key.toLowerCase();
    if (target.closest?.(PRESSING) && (key === ' ' || key === 'enter')) return;
    // Beside the player, arrows and the space bar scroll the page; on it, or with nothing in focus, they are its own.
    if (target.closest?.('.scrolls')) return;
    const shortcut = BY_KEY.get(key);
    if (!shortcut || !player.takesKeys) return;
    event.preventDefault();
    shortcut.run(player, key);
  });
}

export function helpDialog() {
  const dialog = h(
    'dialog',
    { class: 'dialog shortcuts', 'aria-labelledby': 'shortcuts-title' },
    h('h2', { id: 'shortcuts-title' }, 'Keyboard'),
    h(
      'table',
      {},
      h(
        'tbody',
        {},
        SHORTCUTS.map(({ keys, does }) =>
          h(
            'tr',
            {},
            h(
              'th',
              { scope: 'row' },
              keys.map((key) => h('kbd', {}, key)),
            ),
            h('td', {}, does),
          ),
        ),
      ),
    ),
    h(
      'form',
      { method: 'dialog', class: 'dialog-actions' },
      h('button', { class: 'button', autofocus: true }, 'Close'),
    ),
  );
  // A click beside it closes it, as people expect of a sheet.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return dialog;
}
