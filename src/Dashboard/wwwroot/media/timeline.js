// When each task ran, and where: a row for each that ran at the same time on a node, as in a Gantt chart.
import { h, svg } from '../player/dom.js';
import { duration } from '../player/format.js';
import { fullName, isActive, kindName, stateName, taskName, tookSeconds } from './tasks.js';

const ROW_HEIGHT = 20;
const BAR_HEIGHT = 14;
const ROW_LIMIT = 48;
const TICKS = 6;
const TICK_WIDTH = 84;
// Narrower ones would not be seen.
const NARROWEST_SHARE = 0.003;
const LETTER_WIDTH = 6.6;

export function showTimeline(root, tasks, selected, now, select) {
  const ran = tasks
    .filter((task) => task.started_at && (task.ended_at || isActive(task)))
    .map((task) => ({
      task,
      from: Date.parse(task.started_at),
      to: task.ended_at ? Date.parse(task.ended_at) : now,
    }))
    .sort((a, b) => a.from - b.from);
  root.closest('[data-timeline]').hidden = ran.length === 0;
  if (ran.length === 0) return;

  const start = ran[0].from;
  const span = Math.max(1, ...ran.map((each) => each.to - start)) * 1.01;
  const rows = pack(ran).slice(0, ROW_LIMIT);
  const nodes = new Set(rows.map((row) => row.node));
  const room = root.clientWidth - (nodes.size < 2 ? 0 : 90);
  const height = rows.length * ROW_HEIGHT;
  const share = (time) => (time - start) / span;
  const picture = svg('svg', {
    class: 'timeline',
    width: '100%',
    height: height + 22,
    role: 'img',
    'aria-label': words(ran, start),
  });
  for (const tick of ticks(span, Math.min(TICKS, Math.max(1, room / TICK_WIDTH)))) {
    const x = `${(tick / span) * 100}%`;
    picture.append(
      svg('line', { x1: x, x2: x, y1: 0, y2: height, class: 'timeline-grid' }),
      svg(
        'text',
        tick > span * (1 - TICK_WIDTH / room)
          ? { x, y: height + 15, class: 'timeline-tick', dx: -3, 'text-anchor': 'end' }
          : { x, y: height + 15, class: 'timeline-tick', dx: tick === 0 ? 0 : 3 },
        tick === 0 ? '0' : duration(tick / 1000),
      ),
    );
  }
  rows.forEach((row, i) => {
    for (const { task, from, to } of row.bars) {
      const width = Math.max(NARROWEST_SHARE, share(to) - share(from));
      const y = i * ROW_HEIGHT + (ROW_HEIGHT - BAR_HEIGHT) / 2;
      const bar = svg(
        'rect',
        {
          x: `${share(from) * 100}%`,
          y,
          width: `${width * 100}%`,
          height: BAR_HEIGHT,
          rx: 3,
          class: `bar${task.task_id === selected ? ' bar-selected' : ''}`,
          'data-kind': task.kind,
          'data-state': task.state,
          onclick: () => select(task.task_id),
        },
        svg(
          'title',
          {},
          `${fullName(task)}: ${stateName(task.state)}, ${duration((to - from) / 1000)} on ${task.node_id}`,
        ),
      );
      picture.append(bar);
      const name = task.kind === 'encode_chunk' ? taskName(task) : kindName(task.kind);
      if (width * room > name.length * LETTER_WIDTH + 10) {
        picture.append(
          svg(
            'text',
            {
              x: `${share(from) * 100}%`,
              y: y + 11,
              dx: 6,
              class: 'bar-name',
              'data-kind': task.kind,
              'data-state': task.state,
            },
            name,
          ),
        );
      }
    }
  });
  const names =
    nodes.size < 2
      ? null
      : h(
          'ul',
          { class: 'timeline-nodes', 'aria-hidden': 'true' },
          rows.map((row, i) => h('li', {}, i === 0 || rows[i - 1].node !== row.node ? row.node : '')),
        );
  root.replaceChildren(...[names, picture].filter(Boolean));
}

// Rows in which nothing overlaps, those of a node together.
function pack(ran) {
  const byNode = new Map();
  for (const each of ran) {
    const node = each.task.node_id || '';
    if (!byNode.has(node)) byNode.set(node, []);
    const rows = byNode.get(node);
    const row = rows.find((candidate) => candidate.end <= each.from);
    if (row) {
      row.bars.push(each);
      row.end = each.to;
    } else {
      rows.push({ node, bars: [each], end: each.to });
    }
  }
  return [...byNode.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, rows]) => rows);
}

// Round times, at most so many of them.
function ticks(span, most) {
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const marks = [];
  for (let time = 0; time < span * 0.96; time += step) marks.push(time);
  return marks;
}

function words(ran, start) {
  const longest = ran.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
  return (
    `${ran.length} tasks ran within ${duration((Math.max(...ran.map((each) => each.to)) - start) / 1000)}; ` +
    `the longest was ${kindName(longest.task.kind)}, ${duration(tookSeconds(longest.task, longest.to) ?? 0)}.`
  );
}
