// Nodes and queues, live: each event of the master's refreshes the server's own panel and adds a point to the charts.
import { signIn } from './api.js';
import { follow } from './events.js';
import { localTimes } from './format.js';
import { morphChildren } from './morph.js';

const WINDOW_S = 300;
const SHORTEST_WINDOW_S = 60;
// Fewer make no line that one can see.
const POINTS_SHOWN = 5;
const POINTS_LIMIT = 600;
const POINTS_LEAST = 2;
const AGAIN_MS = 3000;

const panel = document.getElementById('panel');
const live = document.getElementById('live');
const samples = [];
const charts = new Map();
let latest = { nodes: null, classes: null };
let isLive = false;
let refreshing = false;
let again = false;
let later = 0;

function say(words, kind) {
  live.textContent = words;
  live.className = `badge ${kind}`;
}

function take(news) {
  const isFirst = Object.keys(news).some((name) => !latest[name]);
  latest = { ...latest, ...news };
  if (isFirst) sample();
  refresh();
}

async function refresh() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    const answer = await fetch('/nodes/panel');
    if (answer.status === 401) signIn();
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').body;
    // What was known stays, with a word that it is old: better than a proxy's page, or nothing.
    if (answer.ok && fresh.querySelector('.cluster')) show(fresh);
    else tryLater();
  } catch {
    tryLater();
  }
  refreshing = false;
  if (again) {
    again = false;
    refresh();
  }
}

function show(fresh) {
  localTimes(fresh);
  morphChildren(panel, fresh);
  document.querySelector('.charts').hidden = false;
  if (isLive) say('Live', 'badge-good');
}

function tryLater() {
  if (isLive) say('Out of date', 'badge-off');
  clearTimeout(later);
  later = setTimeout(refresh, AGAIN_MS);
}

// ---- the last minutes: a sample a second, whether anything changed or not ----

function sample() {
  if (!latest.nodes || !latest.classes) return;
  // While nobody tells, nothing is known: a gap.
  const sum = (name) => (isLive ? latest.classes.reduce((total, queue) => total + queue[name], 0) : null);
  samples.push({
    at: Date.now() / 1000,
    load: new Map(isLive ? latest.nodes.map((node) => [node.node_id, node.cpu_load]) : []),
    running: sum('running'),
    waiting: sum('ready'),
  });
  while (samples.length > POINTS_LIMIT || samples[0].at < samples.at(-1).at - WINDOW_S) samples.shift();
  if (document.hidden || samples.length < POINTS_LEAST) return;
  const nodes = latest.nodes.map((node) => node.node_id).sort();
  draw('load', nodes.map((name, i) => ({ label: name, colour: SERIES[i % SERIES.length] })),
    nodes.map((name) => samples.map((s) => s.load.get(name) ?? null)), 1);
  draw('tasks', [{ label: 'running', colour: '--color-live-bar', fill: true }, { label: 'waiting', colour: '--color-line-strong' }],
    [samples.map((s) => s.running), samples.map((s) => s.waiting)], 2);
}

const SERIES = ['--color-accent', '--color-live-bar', '--color-line-strong', '--color-bad', '--color-text', '--color-muted'];

/** The token's colour as it is now, by day or by night. */
function colour(token) {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  panel.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

const span = () => Math.min(WINDOW_S, Math.max(SHORTEST_WINDOW_S, Date.now() / 1000 - samples[0].at));

// Of a minute or two the seconds too: its ticks would all be alike.
const timeOf = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], {
  hour: '2-digit', minute: '2-digit', ...(span() < 2 * SHORTEST_WINDOW_S && { second: '2-digit' }),
});

function draw(name, series, values, atLeast) {
  const place = document.querySelector(`[data-chart=${name}]`);
  if (series.length === 0) return;
  const look = series.map((s) => colour(s.colour)).join() + colour('--color-muted') + series.length;
  const data = [samples.map((s) => s.at), ...values];
  const known = charts.get(name);
  if (known?.look === look) {
    known.plot.setData(data);
    return;
  }
  known?.plot.destroy();
  place.replaceChildren();
  const axis = { stroke: colour('--color-muted'), grid: { stroke: colour('--color-line'), width: 1 }, ticks: { show: false },
    font: `12px ${getComputedStyle(document.body).fontFamily}` };
  const plot = new uPlot({
    width: place.clientWidth,
    height: place.clientHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      // It begins close, and grows until it is full.
      x: { range: () => [Date.now() / 1000 - span(), Date.now() / 1000] },
      y: { range: (_, __, most) => [0, Math.max(atLeast, most * 1.15)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 70, values: (_, ticks) => ticks.map(timeOf) },
      { ...axis, size: 34, space: 40 },
    ],
    series: [{}, ...series.map((s) => ({ label: s.label, stroke: colour(s.colour), width: 2,
      points: { show: () => samples.length <= POINTS_SHOWN, size: 6 },
      fill: s.fill ? colour('--color-live-soft') : undefined }))],
  }, data, place);
  charts.set(name, { plot, look });
}

const resizing = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    charts.get(target.dataset.chart)?.plot.setSize({ width: target.clientWidth, height: target.clientHeight });
  }
});
document.querySelectorAll('[data-chart]').forEach((place) => resizing.observe(place));

// For people with the console open, and for tests of the page in a real browser.
window.hexcast = { charts };
document.querySelector('.charts').hidden = !panel.querySelector('.cluster');

follow('/v1/nodes/events', {
  nodes: ({ nodes }) => take({ nodes }),
  queues: ({ classes }) => take({ classes }),
}, {
  opened: () => {
    isLive = true;
    say('Live', 'badge-good');
  },
  missed: refresh,
  away: () => {
    isLive = false;
    say('Connecting again', 'badge-off');
  },
});
setInterval(sample, 1000);
