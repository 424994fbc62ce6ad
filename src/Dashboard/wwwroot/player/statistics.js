// The statistics overlay: what is really on the screen and on the wire, twice a second while it is open.
import { h, svg, setText } from './dom.js';
import { bits, bytes, frameRate } from './format.js';

const PERIOD_MS = 500;
const SAMPLES = 80;

export class Statistics {
  #timer = 0;
  #rows = new Map();
  #lines = {};

  // ids(): [[name, value]…] of what a report to the operator should name.
  constructor(panel, engine, ids) {
    this.panel = panel;
    this.engine = engine;
    this.ids = ids;
    this.list = panel.querySelector('.stats-list');
    this.#lines.buffer = line(panel.querySelector('[data-line=buffer]'));
    this.#lines.bandwidth = line(panel.querySelector('[data-line=bandwidth]'));
    panel.querySelector('.stats-close').addEventListener('click', () => this.toggle(false));
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  toggle(open = !this.isOpen) {
    this.panel.hidden = !open;
    clearInterval(this.#timer);
    if (open) {
      this.#refresh();
      this.#timer = setInterval(() => this.#refresh(), PERIOD_MS);
    }
  }

  #refresh() {
    const stats = this.engine.stats();
    if (!stats) return;
    const box = this.engine.video.getBoundingClientRect();
    const wire = stats.latency;
    this.#show(
      'Picture',
      `${stats.width} × ${stats.height}${stats.frameRate ? `, ${frameRate(stats.frameRate)}` : ''}`,
    );
    this.#show(
      'Shown at',
      `${Math.round(box.width * devicePixelRatio)} × ${Math.round(box.height * devicePixelRatio)}`,
    );
    this.#show('Codecs', stats.codecs || '–');
    this.#show('Bit rate', bits(stats.bitrate));
    this.#show('Estimated bandwidth', bits(stats.bandwidth));
    this.#show('Frames', `${stats.frames} decoded, ${stats.dropped} dropped`);
    this.#show('Buffer', `${stats.bufferAhead.toFixed(1)} s`);
    this.#show(
      'Last segment',
      wire ? `${Math.round(wire.wait)} ms + ${Math.round(wire.whole - wire.wait)} ms, ${bytes(wire.bytes)}` : '–',
    );
    this.#show('Median wait', stats.medianWait === null ? '–' : `${Math.round(stats.medianWait)} ms`);
    this.#show('Delivery', `${stats.format.toUpperCase()}${stats.growing ? ', still growing' : ''}`);
    for (const [name, value] of this.ids()) this.#show(name, value);
    this.#lines.buffer(stats.bufferAhead);
    this.#lines.bandwidth(stats.bandwidth || 0);
  }

  #show(name, value) {
    if (!this.#rows.has(name)) {
      const text = h('dd');
      this.list.append(h('div', {}, h('dt', {}, name), text));
      this.#rows.set(name, text);
    }
    setText(this.#rows.get(name), value);
  }
}

// A running line in an svg of 0 0 SAMPLES 20.
function line(picture) {
  const values = [];
  const path = svg('polyline', { fill: 'none', 'vector-effect': 'non-scaling-stroke' });
  picture.append(path);
  return (value) => {
    values.push(value);
    if (values.length > SAMPLES) values.shift();
    const top = Math.max(...values, 1e-9);
    const from = SAMPLES - values.length;
    path.setAttribute(
      'points',
      values.map((each, i) => `${from + i},${(19 - (each / top) * 18).toFixed(2)}`).join(' '),
    );
  };
}
