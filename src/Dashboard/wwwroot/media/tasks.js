// What tasks are called, and what their figures say.
import { duration } from '../player/format.js';

const KINDS = {
  probe: 'Probe',
  encode_chunk: 'Picture',
  encode_audio: 'Sound',
  poster: 'Poster',
  storyboard: 'Storyboard',
  subtitles: 'Subtitles',
  publish: 'Publish',
};

const STATES = {
  pending: 'waiting for others',
  ready: 'waiting for a worker',
  assigned: 'starting',
  running: 'running',
  committed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

export const kindName = (kind) => KINDS[kind] ?? kind.replaceAll('_', ' ');

export const stateName = (state) => STATES[state] ?? state;

// "chunk-0011" → "Part 12"; one of its kind is called by it.
export function taskName(task) {
  const number = /-(\d+)$/.exec(task.task_id);
  return number ? `Part ${Number(number[1]) + 1}` : kindName(task.kind);
}

// "Picture, Part 12"
export function fullName(task) {
  const name = taskName(task);
  return name === kindName(task.kind) ? name : `${kindName(task.kind)}, ${name}`;
}

export function fraction(task) {
  return task.state === 'committed' ? 1 : Math.min(1, Math.max(0, task.fraction ?? 0));
}

export const isActive = (task) => task.state === 'running' || task.state === 'assigned';

// Seconds that the last attempt took, or has taken; null before it began.
export function tookSeconds(task, now) {
  if (!task.started_at) return null;
  const end = task.ended_at ? Date.parse(task.ended_at) : isActive(task) ? now : null;
  return end === null ? null : Math.max(0, (end - Date.parse(task.started_at)) / 1000);
}

// One line beside a task's name.
export function summary(task, now) {
  if (isActive(task)) {
    return [
      `${Math.floor(fraction(task) * 100)} %`,
      task.speed > 0 ? `${task.speed.toFixed(1)}×` : '',
      task.node_id,
    ]
      .filter(Boolean)
      .join(' · ');
  }
  const took = tookSeconds(task, now);
  if (task.state === 'committed' && took !== null)
    return [duration(took), task.node_id].filter(Boolean).join(' · ');
  return stateName(task.state);
}

// Columns of a job's graph: a task stands one to the right of the last one that it needs; tasks of a kind together.
// → [[{ kind, tasks, needs: Set of kinds }]]
export function lanes(tasks) {
  const byId = new Map(tasks.map((task) => [task.task_id, task]));
  const depths = new Map();
  const depth = (task, seen = new Set()) => {
    if (depths.has(task.task_id)) return depths.get(task.task_id);
    if (seen.has(task.task_id)) return 0;
    seen.add(task.task_id);
    const needed = (task.needs ?? []).map((id) => byId.get(id)).filter(Boolean);
    const value = needed.length === 0 ? 0 : 1 + Math.max(...needed.map((need) => depth(need, seen)));
    depths.set(task.task_id, value);
    return value;
  };
  const groups = new Map();
  for (const task of tasks) {
    if (!groups.has(task.kind)) groups.set(task.kind, { kind: task.kind, tasks: [], needs: new Set(), column: 0 });
    const group = groups.get(task.kind);
    group.tasks.push(task);
    group.column = Math.max(group.column, depth(task));
    for (const id of task.needs ?? []) if (byId.has(id)) group.needs.add(byId.get(id).kind);
  }
  // What another lane between them waits for anyway needs no line of its own.
  for (const group of groups.values()) {
    const direct = [...group.needs].filter(
      (kind) => ![...group.needs].some((other) => reaches(groups, other, kind)),
    );
    group.needs = new Set(direct);
  }
  const order = Object.keys(KINDS);
  const columns = [];
  for (const group of groups.values()) {
    group.tasks.sort((a, b) => (a.task_id < b.task_id ? -1 : 1));
    (columns[group.column] ??= []).push(group);
  }
  return columns
    .filter(Boolean)
    .map((column) => column.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)));
}

function reaches(groups, from, to, seen = new Set([from])) {
  return [...groups.get(from).needs].some((kind) => {
    if (kind === to) return true;
    if (seen.has(kind)) return false;
    seen.add(kind);
    return reaches(groups, kind, to, seen);
  });
}
