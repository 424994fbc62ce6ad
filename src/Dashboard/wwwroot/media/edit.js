// Title, tags and policy. Sent with the state that was seen (If-Match): who was overtaken decides what counts.
import { setText } from '../player/dom.js';
import { titleOf } from './facts.js';

export class Edit {
  #etag = null;
  #seen = null;

  constructor(dialog, follow) {
    this.dialog = dialog;
    this.follow = follow;
    this.form = dialog.querySelector('form');
    this.problem = dialog.querySelector('[data-problem]');
    this.conflict = dialog.querySelector('[data-conflict]');
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#save();
    });
    dialog.querySelector('[data-cancel]').addEventListener('click', () => dialog.close());
    dialog
      .querySelector('[data-theirs]')
      .addEventListener('click', () => this.#fill(this.follow.media, this.follow.etag));
  }

  open() {
    this.#fill(this.follow.media, this.follow.etag);
    this.dialog.showModal();
    this.form.elements.title.select();
  }

  #fill(media, etag) {
    this.#etag = etag;
    this.#seen = media;
    const { title, tags, policy } = this.form.elements;
    title.value = media.title ?? '';
    title.placeholder = media.filename ?? '';
    tags.value = media.tags.join(', ');
    policy.value = media.policy;
    this.#complain('');
    this.conflict.hidden = true;
  }

  async #save() {
    const { title, tags, policy, save } = this.form.elements;
    const edit = {
      title: title.value.trim(),
      tags: [
        ...new Set(
          tags.value
            .split(',')
            .map((tag) => tag.trim())
            .filter(Boolean),
        ),
      ],
      policy: policy.value,
    };
    // Only what was changed here: another's change of something else is no quarrel.
    for (const name of Object.keys(edit)) {
      if (JSON.stringify(edit[name]) === JSON.stringify(this.#seen[name])) delete edit[name];
    }
    if (Object.keys(edit).length === 0) {
      this.dialog.close();
      return;
    }
    save.disabled = true;
    try {
      const answer = await fetch(this.follow.api, {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/json', 'If-Match': this.#etag },
        body: JSON.stringify(edit),
      });
      const body = await answer.json();
      if (answer.ok) {
        this.follow.take(body, answer.headers.get('ETag'));
        this.dialog.close();
      } else if (answer.status === 412) {
        await this.#meetConflict();
      } else {
        this.#complain(body.detail);
      }
    } catch (error) {
      this.#complain(
        error instanceof TypeError ? 'The server cannot be reached. Nothing is lost: try again.' : error.message,
      );
    }
    save.disabled = false;
  }

  // Saving once more is then meant: it is sent with the newer state's tag.
  async #meetConflict() {
    const before = this.#seen;
    await this.follow.fetch();
    const { media, etag } = this.follow;
    this.#etag = etag;
    const changed = ['title', 'tags', 'policy'].some(
      (name) => JSON.stringify(media[name]) !== JSON.stringify(before[name]),
    );
    // What moved on was the encoding, not what a person wrote: nobody needs to be asked.
    if (!changed) {
      this.#seen = media;
      await this.#save();
      return;
    }
    this.#seen = media;
    const theirs = [
      `“${titleOf(media)}”`,
      media.tags.length ? media.tags.join(', ') : 'no tags',
      media.policy,
    ].join(' · ');
    setText(
      this.conflict.querySelector('p'),
      `Somebody else changed it meanwhile. It now says: ${theirs}. Save to put yours in its place.`,
    );
    this.conflict.hidden = false;
  }

  #complain(words) {
    setText(this.problem, words);
    this.problem.hidden = !words;
  }
}
