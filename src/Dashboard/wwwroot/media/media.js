// The media page: one media followed, and everything on the page drawn from it.
import { setText } from '../player/dom.js';
import { Player } from '../player/player.js';
import { listen } from '../player/shortcuts.js';
import { wireDelete, wireRetry } from './actions.js';
import { Edit } from './edit.js';
import { showFacts, showHead } from './facts.js';
import { failureBlock } from './failure.js';
import { MediaFollow } from './follow.js';
import { Graph } from './graph.js';
import { showRenditions } from './renditions.js';
import { Share } from './share.js';
import { showTask } from './task-details.js';
import { isActive } from './tasks.js';
import { showTimeline } from './timeline.js';

const root = document.getElementById('media');
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const follow = new MediaFollow(root.dataset.mediaId);
const player = new Player(document.getElementById('player'));
const share = new Share(part('share'), follow);
const edit = new Edit(document.getElementById('edit'), follow);
const graph = new Graph(part('graph'), select);

let selected = null;
let chosen = false;
let failureShown = '';
let frame = 0;

function select(taskId) {
  chosen = true;
  selected = selected === taskId ? null : taskId;
  draw();
}

function draw() {
  const { media, tasks } = follow;
  if (!media) return;
  const now = Date.now();
  // A failure is what one came for, until one chooses something else.
  if (!chosen) selected = tasks.find((task) => task.state === 'failed')?.task_id ?? null;
  if (!tasks.some((task) => task.task_id === selected)) selected = null;
  showHead(root, media);
  showFacts(part('facts'), media);
  showFailure(media);
  showWork(media, tasks, now);
  showRenditions(part('renditions'), media);
  share.show(media);
  for (const name of ['edit', 'delete']) part(name).disabled = false;
  root.setAttribute('aria-busy', 'false');
}

// Events come in bursts: one drawing a frame is enough.
function drawSoon() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(draw);
}

function showFailure(media) {
  const card = part('failure');
  card.hidden = media.state !== 'failed';
  const description = JSON.stringify(media.error);
  if (card.hidden || description === failureShown) return;
  failureShown = description;
  part('failure-block').replaceChildren(failureBlock(media.error ?? {}, 'Encoding failed'));
}

function showWork(media, tasks, now) {
  part('graph').hidden = tasks.length === 0;
  const none = part('no-work');
  none.hidden = tasks.length > 0;
  setText(
    none,
    media.state === 'uploaded'
      ? 'The job is being ordered.'
      : follow.hasJob
        ? 'No task is known yet.'
        : 'The scheduler keeps no job of this media any more, or does not answer just now.',
  );
  const running = tasks.filter(isActive).length;
  const done = tasks.filter((task) => task.state === 'committed').length;
  setText(
    part('work-words'),
    tasks.length === 0
      ? ''
      : done === tasks.length
        ? `All ${tasks.length} tasks are done`
        : `${done} of ${tasks.length} tasks done${running ? `, ${running} at work` : ''}`,
  );
  if (tasks.length === 0) return;
  graph.show(tasks, selected, now);
  showTask(
    part('task'),
    tasks.find((task) => task.task_id === selected),
    now,
    media.state === 'failed' ? media.error : null,
  );
  showTimeline(part('timeline'), tasks, selected, now, select);
}

function meetTrouble(words) {
  // Nothing more may come for a while: what is there is shown as it is.
  if (words) root.setAttribute('aria-busy', 'false');
  notice(words);
}

function notice(words) {
  setText(part('notice'), words);
  part('notice').hidden = !words;
}

// For people with the console open, and for tests of the page in a real browser.
window.hexcast = {
  player,
  follow,
  get stats() {
    return player.engine.stats();
  },
};

follow.addEventListener('change', drawSoon);
// The timeline has as many ticks, and names in its bars, as there is room for.
addEventListener('resize', drawSoon);
follow.addEventListener('trouble', (event) => meetTrouble(event.detail));
follow.addEventListener('gone', () => {
  cancelAnimationFrame(frame);
  player.video.pause();
  root.querySelector('#state').dataset.state = 'gone';
  setText(root.querySelector('#state'), 'Deleted');
  notice('This media was deleted.');
  for (const button of root.querySelectorAll('button')) button.disabled = true;
});
part('edit').addEventListener('click', () => edit.open());
wireRetry(part('try-again'), follow, notice);
wireDelete(part('delete'), document.getElementById('delete'), follow);
listen(player);

follow.start();
player.start();
