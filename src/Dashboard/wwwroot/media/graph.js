// The job as a graph: columns from left to right by what needs what, many parts as one grid of cells, lines between.
// Every task is a button; within a grid the arrow keys move.
import { h, svg, setText } from '../player/dom.js';
import { fraction, isActive, kindName, lanes, stateName, summary, taskName } from './tasks.js';

// More parts than these get smaller cells.
const FEW = 48;
const TRUNK_X = 12;

export class Graph {
  #shape = '';
  #lanes = new Map();
  #buttons = new Map();
  #selected = null;

  // select(task_id) is called when a person chooses a task.
  constructor(root, select) {
    this.root = root;
    this.select = select;
    this.edges = svg('svg', { class: 'graph-edges', 'aria-hidden': 'true' });
    this.columns = h('div', { class: 'graph-columns' });
    new ResizeObserver(() => this.#drawEdges()).observe(this.columns);
  }

  show(tasks, selected, now) {
    this.#selected = selected;
    const columns = lanes(tasks);
    const shape = JSON.stringify(columns.map((column) => column.map((lane) => [lane.kind, lane.tasks.length])));
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#build(columns);
    }
    for (const lane of columns.flat()) this.#showLane(lane, now);
    this.#drawEdges();
  }

  #build(columns) {
    this.#lanes.clear();
    this.#buttons.clear();
    this.columns.replaceChildren(
      ...columns.map((column) =>
        h(
          'div',
          { class: 'graph-column' },
          column.map((lane) => this.#lane(lane)),
        ),
      ),
    );
    // In the place of what the server drew, which looks the same.
    if (!this.columns.isConnected) this.root.replaceChildren(this.edges, this.columns);
  }

  #lane(lane) {
    const many = lane.tasks.length > 1;
    const size = lane.tasks.length > FEW ? ' lane-dense' : '';
    const element = h('div', { class: `lane${many ? ` lane-many${size}` : ''}`, 'data-kind': lane.kind });
    const buttons = lane.tasks.map((task) => {
      const button = h(
        'button',
        {
          class: many ? 'cell' : 'node',
          type: 'button',
          'data-task': task.task_id,
          onclick: () => this.select(task.task_id),
        },
        many
          ? null
          : [
              h('span', { class: 'node-name' }, h('span', { class: 'node-mark' }), kindName(task.kind)),
              h('span', { class: 'visually-hidden' }),
              h('span', { class: 'node-words number' }),
            ],
      );
      this.#buttons.set(task.task_id, button);
      return button;
    });
    if (many) {
      const cells = h(
        'div',
        { class: 'cells', role: 'group', 'aria-label': `${kindName(lane.kind)}, ${buttons.length} parts` },
        buttons,
      );
      cells.addEventListener('keydown', (event) => moveWithin(event, buttons));
      element.append(
        h(
          'p',
          { class: 'lane-name' },
          h('span', {}, kindName(lane.kind)),
          h('span', { class: 'lane-words number' }),
        ),
        cells,
      );
    } else {
      element.append(...buttons);
    }
    this.#lanes.set(lane.kind, { element, lane, words: element.querySelector('.lane-words') });
    return element;
  }

  #showLane(lane, now) {
    const known = this.#lanes.get(lane.kind);
    known.lane = lane;
    const many = lane.tasks.length > 1;
    const stops = lane.tasks.some((task) => task.task_id === this.#selected)
      ? this.#selected
      : lane.tasks[0].task_id;
    for (const task of lane.tasks) {
      const button = this.#buttons.get(task.task_id);
      button.dataset.state = task.state;
      button.style.setProperty('--done', fraction(task).toFixed(3));
      button.setAttribute('aria-pressed', String(task.task_id === this.#selected));
      const words = summary(task, now);
      if (many) {
        button.tabIndex = task.task_id === stops ? 0 : -1;
        const name = partName(task, words);
        if (button.getAttribute('aria-label') !== name) button.setAttribute('aria-label', name);
        button.title = name;
      } else {
        setText(button.querySelector('.node-words'), words);
        // "600 ms · worker-2" says by its colour that the task is done; to those who listen, by a word.
        setText(button.querySelector('.visually-hidden'), words.includes(stateName(task.state)) ? '' : `${stateName(task.state)}, `);
      }
    }
    if (many) {
      const done = lane.tasks.filter((task) => task.state === 'committed').length;
      const speed = lane.tasks.reduce((sum, task) => sum + (task.state === 'running' ? (task.speed ?? 0) : 0), 0);
      setText(
        known.words,
        [`${done} of ${lane.tasks.length}`, speed > 0 ? `${speed.toFixed(1)}×` : ''].filter(Boolean).join(' · '),
      );
    }
  }

  #drawEdges() {
    const home = this.root.getBoundingClientRect();
    if (home.width === 0) return;
    const upright = getComputedStyle(this.columns).flexDirection === 'column';
    this.edges.setAttribute('viewBox', `0 0 ${home.width} ${home.height}`);
    const paths = [];
    const add = (d, done, live) =>
      paths.push(svg('path', { d, class: `edge${live ? ' edge-live' : done ? ' edge-done' : ''}` }));
    const isDone = (lane) => lane.tasks.every((task) => task.state === 'committed');
    for (const { element, lane } of this.#lanes.values()) {
      const needed = [...lane.needs]
        .map((kind) => this.#lanes.get(kind))
        .filter((from) => from && from.element !== element);
      const live = lane.tasks.some(isActive);
      const box = element.getBoundingClientRect();
      if (upright) {
        // No room for each line: one trunk from the first, a branch to each.
        const [first] = this.#lanes.values();
        if (needed.length > 0)
          add(
            branch(first.element.getBoundingClientRect(), box, home),
            needed.every((from) => isDone(from.lane)),
            live,
          );
      } else {
        for (const from of needed)
          add(curve(from.element.getBoundingClientRect(), box, home), isDone(from.lane), live);
      }
    }
    // What is done lies on top.
    paths.sort((a, b) => a.classList.contains('edge-done') - b.classList.contains('edge-done'));
    this.edges.replaceChildren(...paths);
  }
}

// "Part 3: done, 4.0 s · worker-1"
function partName(task, words) {
  const state = stateName(task.state);
  return `${taskName(task)}: ${state}${words === state ? '' : `, ${words}`}`;
}

function curve(from, to, home) {
  const [x1, y1] = [from.right - home.left, from.top + from.height / 2 - home.top];
  const [x2, y2] = [to.left - home.left, to.top + to.height / 2 - home.top];
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function branch(from, to, home) {
  const x = from.left - home.left + TRUNK_X;
  return `M${x} ${from.bottom - home.top}V${to.top - home.top + 22}H${to.left - home.left}`;
}

function moveWithin(event, buttons) {
  const at = buttons.indexOf(document.activeElement);
  const row = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
  const target = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: at + row,
    ArrowUp: at - row,
    Home: 0,
    End: buttons.length - 1,
  }[event.key];
  if (at < 0 || target === undefined) return;
  event.preventDefault();
  const next = buttons[Math.min(buttons.length - 1, Math.max(0, target))];
  for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
  next.focus();
}
