// The seek bar: what is played, buffered and, while the video grows, still to be made; a picture of where one points.
import { h } from './dom.js';
import { clock, spokenTime } from './format.js';

const STEP_SECONDS = 5;
const PAGE_SHARE = 0.1;
// Right at the end of what exists there is nothing to decode yet.
const GROWING_MARGIN_SECONDS = 0.5;
const KEY_PREVIEW_MS = 1500;

export class SeekBar {
  #dragging = null;
  #pointed = null;
  #keyPreview = 0;
  #storyboard = null;

  // timeline: { total, end, time, buffered, isGrowing, seek(seconds) }
  constructor(bar, preview, timeline) {
    this.bar = bar;
    this.timeline = timeline;
    this.preview = preview;
    this.tile = preview.querySelector('.seek-tile');
    this.label = preview.querySelector('.seek-time');
    this.buffered = bar.querySelector('.seek-buffered');
    bar.addEventListener('pointerdown', (event) => this.#press(event));
    bar.addEventListener('pointermove', (event) => this.#point(event));
    bar.addEventListener('pointerleave', () => {
      if (this.#dragging === null) this.#unpoint();
    });
    bar.addEventListener('pointerup', (event) => this.#release(event));
    bar.addEventListener('pointercancel', () => {
      this.#dragging = null;
      this.#unpoint();
    });
    bar.addEventListener('keydown', (event) => this.#key(event));
    bar.addEventListener('focus', () => {
      if (bar.matches(':focus-visible')) this.#showForKeys();
    });
    bar.addEventListener('blur', () => this.#unpoint());
  }

  set storyboard(storyboard) {
    this.#storyboard = storyboard;
    this.tile.hidden = true;
  }

  get isDragging() {
    return this.#dragging !== null;
  }

  update() {
    const { total, end, time, isGrowing } = this.timeline;
    const shown = this.#dragging ?? time;
    this.#place('--played', share(shown, total));
    this.#place('--made', isGrowing ? share(end, total) : 1);
    this.bar.classList.toggle('is-growing', isGrowing && end < total);
    this.#showBuffered(total);
    this.bar.setAttribute('aria-valuemax', String(Math.floor(total)));
    this.bar.setAttribute('aria-valuenow', String(Math.floor(shown)));
    this.bar.setAttribute('aria-valuetext', `${spokenTime(shown)} of ${spokenTime(total)}`);
  }

  #place(name, value) {
    this.bar.style.setProperty(name, value.toFixed(5));
  }

  #showBuffered(total) {
    const ranges = this.timeline.buffered;
    while (this.buffered.children.length > ranges.length) this.buffered.lastElementChild.remove();
    while (this.buffered.children.length < ranges.length) this.buffered.append(h('span'));
    ranges.forEach(([from, to], i) => {
      const { style } = this.buffered.children[i];
      style.left = `${share(from, total) * 100}%`;
      style.width = `${Math.max(0, share(to, total) - share(from, total)) * 100}%`;
    });
  }

  #secondsAt(event) {
    const box = this.bar.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.timeline.total;
  }

  #press(event) {
    if (event.button !== 0) return;
    this.bar.setPointerCapture(event.pointerId);
    this.#dragging = this.#secondsAt(event);
    this.#show(this.#dragging);
    this.update();
  }

  #point(event) {
    this.#pointed = this.#secondsAt(event);
    if (this.#dragging !== null) {
      this.#dragging = this.#pointed;
      this.update();
    }
    this.#show(this.#pointed);
  }

  #release(event) {
    if (this.#dragging === null) return;
    const seconds = this.#secondsAt(event);
    this.#dragging = null;
    this.#seek(seconds);
    if (event.pointerType !== 'mouse') this.#unpoint();
  }

  #seek(seconds) {
    const { total, end, isGrowing } = this.timeline;
    const last = isGrowing ? Math.max(0, end - GROWING_MARGIN_SECONDS) : total;
    this.timeline.seek(Math.min(last, Math.max(0, seconds)));
    this.update();
  }

  #key(event) {
    const { time, total } = this.timeline;
    const target = {
      ArrowLeft: time - STEP_SECONDS,
      ArrowDown: time - STEP_SECONDS,
      ArrowRight: time + STEP_SECONDS,
      ArrowUp: time + STEP_SECONDS,
      PageDown: time - total * PAGE_SHARE,
      PageUp: time + total * PAGE_SHARE,
      Home: 0,
      End: total,
    }[event.key];
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.#seek(target);
    this.#showForKeys();
  }

  #showForKeys() {
    clearTimeout(this.#keyPreview);
    this.#show(this.timeline.time);
    this.#keyPreview = setTimeout(() => {
      if (this.#pointed === null) this.#unpoint();
    }, KEY_PREVIEW_MS);
  }

  #unpoint() {
    clearTimeout(this.#keyPreview);
    this.#pointed = null;
    this.preview.hidden = true;
    this.#place('--pointed', 0);
  }

  async #show(seconds) {
    const { total, end, isGrowing } = this.timeline;
    if (!(total > 0)) return;
    const unmade = isGrowing && seconds > end;
    this.label.textContent = unmade ? `${clock(seconds)} · still being made` : clock(seconds);
    this.preview.hidden = false;
    this.#place('--pointed', share(seconds, total));
    this.#showTile(unmade ? null : seconds);
    this.#keepInside(seconds, total);
    if (this.#storyboard && !this.#storyboard.hasTiles) {
      await this.#storyboard.load();
      if (!this.preview.hidden && this.#storyboard?.hasTiles) {
        this.#showTile(unmade ? null : seconds);
        this.#keepInside(seconds, total);
      }
    }
  }

  #showTile(seconds) {
    const tile = seconds === null ? null : this.#storyboard?.at(seconds);
    this.tile.hidden = !tile;
    if (!tile) return;
    const { style } = this.tile;
    style.width = `${tile.width}px`;
    style.height = `${tile.height}px`;
    style.backgroundImage = `url("${tile.sheet}")`;
    style.backgroundPosition = `-${tile.x}px -${tile.y}px`;
    this.tile.dataset.start = tile.start;
  }

  #keepInside(seconds, total) {
    const room = this.bar.getBoundingClientRect().width;
    const half = this.preview.offsetWidth / 2;
    const middle = share(seconds, total) * room;
    this.preview.style.left = `${Math.min(Math.max(middle, half), Math.max(half, room - half))}px`;
  }
}

function share(part, whole) {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}
