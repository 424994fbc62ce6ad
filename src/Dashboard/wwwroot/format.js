// Figures in words, as Pages/Words.cs writes them on the server.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${UNITS[unit]}`;
}

export function percent(fraction) {
  return `${Math.floor(Math.min(Math.max(fraction, 0), 1) * 100)} %`;
}

/** 75.9 → "1:15", "1:02:03": a length or a position, which is not rounded up; hours only where there are some. */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return '0:00';
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** "8 s", "3 min", "2 h 5 min": time that is left, no more exact than it is known. */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const TIME = new Intl.DateTimeFormat(undefined, {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit',
});

/** An instant of the API's by the viewer's own clock. */
export function localTime(iso) {
  return TIME.format(new Date(iso));
}

/** Gives every time element the viewer's own clock. */
export function localTimes(root = document) {
  for (const time of root.querySelectorAll('time[datetime]')) {
    time.textContent = localTime(time.dateTime);
    time.title = time.dateTime;
  }
}
