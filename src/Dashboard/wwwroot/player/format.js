// Figures of players and jobs, as people read them; the pages' own are in ../format.js.
import { size } from '../format.js';

export { clock } from '../format.js';

// A position for a screen reader: "1 minute 15 seconds".
export function spokenTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const parts = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ];
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`);
  return said.length > 0 ? said.join(' ') : '0 seconds';
}

export function bits(perSecond) {
  if (!perSecond) return '–';
  return perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(1)} Mbit/s` : `${Math.round(perSecond / 1e3)} kbit/s`;
}

export const bytes = (count) => (count ? size(count) : '–');

// 0.42 s, 12.3 s, 4 min 5 s
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

export function frameRate(frames) {
  return frames ? `${Number(frames.toFixed(3))} fps` : '';
}
