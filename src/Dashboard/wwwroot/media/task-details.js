// One task in words: where and when it ran, what it waits for, and its failure in the tool's own words.
import { h } from '../player/dom.js';
import { duration } from '../player/format.js';
import { failureBlock } from './failure.js';
import { fraction, fullName, isActive, stateName, tookSeconds } from './tasks.js';

let shown = '';

// Where the page says already why the media failed (told), the task does not say it again.
export function showTask(root, task, now, told) {
  root.hidden = !task;
  if (!task) return;
  const failure = isSame(task.failure, told) ? null : task.failure;
  const took = tookSeconds(task, now);
  const rows = [
    [
      'State',
      isActive(task) ? `${stateName(task.state)}, ${Math.floor(fraction(task) * 100)} %` : stateName(task.state),
    ],
    ['Node', task.node_id || '–'],
    ['Started', task.started_at ? new Date(task.started_at).toLocaleTimeString() : '–'],
    ['Took', took === null ? '–' : duration(took)],
    ['Speed', task.speed > 0 ? `${task.speed.toFixed(2)}× realtime` : '–'],
    ['Attempts', String(task.attempts ?? task.attempt ?? 0)],
    ['Needs', needs(task)],
  ];
  // Rebuilt only when it says something else: a selection in the log would be lost.
  const description = JSON.stringify([task.task_id, rows, failure]);
  if (description === shown) return;
  shown = description;
  root.replaceChildren(
    h('div', { class: 'card-head' }, h('h3', {}, fullName(task)), h('code', { class: 'muted' }, task.task_id)),
    h(
      'dl',
      { class: 'facts number' },
      rows.map(([term, text]) => h('div', {}, h('dt', {}, term), h('dd', {}, text))),
    ),
    failure
      ? failureBlock(failure, task.state === 'committed' ? 'An earlier attempt failed' : 'Why it failed')
      : '',
  );
}

function isSame(failure, told) {
  return ['code', 'message', 'log_tail'].every((name) => (failure?.[name] ?? '') === (told?.[name] ?? ''));
}

function needs(task) {
  const needed = task.needs ?? [];
  if (needed.length === 0) return 'nothing';
  return needed.length > 4 ? `${needed.slice(0, 3).join(', ')} and ${needed.length - 3} more` : needed.join(', ');
}
