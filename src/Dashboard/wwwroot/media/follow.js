// One media as the server knows it, kept up to date: fetched once, then by its events.
//
//   GET /v1/media/{id} ──▶ media, job.tasks ─┐
//   events: media ──▶ media (a new state: fetched again, for its job) ─┼─▶ change
//           progress ──▶ tasks that moved ─┘
import { refusalOf } from '../api.js';
import { follow } from '../events.js';

const AGAIN_MS = 3000;
const REFETCH_MS = 150;

// Events: change, gone, trouble {detail: words or ''}.
export class MediaFollow extends EventTarget {
  #unfollow = null;
  #over = false;
  #refetch = 0;
  #tasks = new Map();

  constructor(mediaId) {
    super();
    this.api = `/v1/media/${mediaId}`;
    this.media = null;
    this.etag = null;
    this.jobState = null;
    this.hasJob = false;
  }

  get tasks() {
    return [...this.#tasks.values()];
  }

  async start() {
    await this.fetch();
    if (!this.#over) this.#listen();
  }

  async fetch() {
    try {
      const answer = await fetch(this.api, { cache: 'no-store' });
      if (answer.status === 404) {
        this.#end();
        return;
      }
      if (!answer.ok) throw await refusalOf(answer);
      const media = await answer.json();
      this.#trouble('');
      // Asked for before a change that is known since.
      if (media.row_version < this.media?.row_version) this.#fetchSoon(REFETCH_MS);
      else this.take(media, answer.headers.get('ETag'));
    } catch (error) {
      this.#trouble(error instanceof TypeError ? 'The server cannot be reached.' : error.message);
      this.#fetchSoon(AGAIN_MS);
    }
  }

  // An answer of the API's: GET's with its job, PATCH's and retry's without.
  take(media, etag) {
    this.media = media;
    this.etag = etag ?? `"${media.row_version}"`;
    if ('job' in media) {
      this.hasJob = media.job !== null;
      this.jobState = media.job?.state ?? null;
      if (media.job) this.#tasks = new Map(media.job.tasks.map((task) => [task.task_id, task]));
    }
    this.#change();
  }

  #listen() {
    this.#unfollow = follow(`${this.api}/events`, {
      media: (news) => {
        if (news.row_version === this.media?.row_version) return;
        this.take(news, null);
        this.#fetchSoon(REFETCH_MS);
      },
      progress: (news) => this.#progress(news.tasks ?? []),
      deleted: () => this.#end(),
    }, { missed: () => this.fetch() });
  }

  #progress(tasks) {
    for (const news of tasks) {
      const known = this.#tasks.get(news.task_id);
      const merged = { ...known, ...news };
      // Progress comes without the log, which has not changed since.
      if (news.failure && known?.failure?.log_tail && !news.failure.log_tail) merged.failure = known.failure;
      this.#tasks.set(news.task_id, merged);
      if (news.state === 'failed' && !merged.failure?.log_tail) this.#fetchSoon(REFETCH_MS);
    }
    this.hasJob = true;
    this.#change();
  }

  #fetchSoon(milliseconds) {
    clearTimeout(this.#refetch);
    this.#refetch = setTimeout(() => this.fetch(), milliseconds);
  }

  #end() {
    clearTimeout(this.#refetch);
    this.#over = true;
    this.#unfollow?.();
    this.dispatchEvent(new Event('gone'));
  }

  #change() {
    this.dispatchEvent(new Event('change'));
  }

  #trouble(words) {
    this.dispatchEvent(new CustomEvent('trouble', { detail: words }));
  }
}
