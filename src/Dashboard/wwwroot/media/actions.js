// Retry and delete.
import { setText } from '../player/dom.js';
import { titleOf } from './facts.js';

export function wireRetry(button, follow, notice) {
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const answer = await fetch(`${follow.api}/retry`, { method: 'POST' });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail);
      notice('');
      follow.take(body, answer.headers.get('ETag'));
      await follow.fetch();
    } catch (error) {
      notice(error instanceof TypeError ? 'The server cannot be reached.' : error.message);
    }
    button.disabled = false;
  });
}

export function wireDelete(button, dialog, follow) {
  const confirm = dialog.querySelector('[data-confirm]');
  const problem = dialog.querySelector('[data-problem]');
  button.addEventListener('click', () => {
    setText(problem, '');
    problem.hidden = true;
    setText(dialog.querySelector('strong'), titleOf(follow.media));
    dialog.showModal();
  });
  dialog.querySelector('[data-cancel]').addEventListener('click', () => dialog.close());
  confirm.addEventListener('click', async () => {
    confirm.disabled = true;
    try {
      const answer = await fetch(follow.api, { method: 'DELETE' });
      if (!answer.ok && answer.status !== 404) throw new Error((await answer.json()).detail);
      location.assign('/');
      return;
    } catch (error) {
      setText(problem, error instanceof TypeError ? 'The server cannot be reached.' : error.message);
      problem.hidden = false;
    }
    confirm.disabled = false;
  });
}
