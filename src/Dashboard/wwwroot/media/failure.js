// A failure as the tool told it: the code, the message, the last lines of its log.
import { h } from '../player/dom.js';
import { wireCopy } from '../player/copy.js';

export function failureBlock(failure, title) {
  const log = failure.log_tail?.trim();
  const button = log ? h('button', { class: 'button', type: 'button' }, 'Copy the log') : null;
  if (button) wireCopy(button, () => `${failure.code}: ${failure.message}\n\n${log}`);
  return h(
    'section',
    { class: 'failure', 'aria-label': title },
    h('div', { class: 'card-head' }, h('h3', {}, title), h('code', { class: 'failure-code' }, failure.code ?? '')),
    h('p', { class: 'failure-message' }, failure.message ?? ''),
    log ? h('pre', { class: 'log', tabindex: '0', 'aria-label': 'Last lines of the log' }, log) : null,
    button,
  );
}
