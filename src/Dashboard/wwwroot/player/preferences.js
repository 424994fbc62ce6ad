// What a viewer chose, kept in this browser. Frames of other sites and private windows may refuse to keep anything.
export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

const KEY = 'hexcast.player';
const DEFAULTS = { volume: 1, muted: false, speed: 1, captions: null };

export function readPreferences() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return {
      volume: kept.volume >= 0 && kept.volume <= 1 ? kept.volume : DEFAULTS.volume,
      muted: kept.muted === true,
      speed: kept.speed >= 0.25 && kept.speed <= 4 ? kept.speed : DEFAULTS.speed,
      captions: typeof kept.captions === 'string' ? kept.captions : null,
    };
  } catch {
    return { ...DEFAULTS };
  }
}

export function keepPreferences(preferences) {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // The choice holds until the page is left.
  }
}
