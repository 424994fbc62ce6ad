// One file on its way: its state, its speed, and the tus client that carries it.
//
//   chosen ─start─▶ waiting ─slot─▶ uploading ─▶ uploaded ─events─▶ ready | broken
//                                   │  ▲  └─ refused by the server, or unreadable ─▶ failed ─retry─▶ waiting
//                                   ▼  │
//                          paused, stalled (no connection: tries again by itself)
//   missing: begun on an earlier visit; goes on when its file is chosen again.
import { forget, remember } from './upload-memory.js';

const ENDPOINT = '/v1/uploads';
const RETRY_FIRST_MS = 1000;
const RETRY_LIMIT_MS = 15000;
const SPEED_WINDOW_MS = 5000;

/** Refusals that time may cure; others need a person. */
const PASSING = new Set([0, 408, 409, 423, 425, 429, 500, 502, 503, 504]);

export class UploadItem extends EventTarget {
  constructor({ file, record }) {
    super();
    this.file = file ?? null;
    this.record = record;
    this.state = file ? 'chosen' : 'missing';
    this.sent = record.offset ?? 0;
    this.fraction = 0;
    this.problem = '';
    this.samples = [];
    this.delay = RETRY_FIRST_MS;
    this.tus = null;
    this.timer = null;
  }

  get name() { return this.record.name; }

  get size() { return this.record.size; }

  /** The upload's address ends in the media's id. */
  get mediaId() { return this.record.url?.split('/').pop() ?? null; }

  get isActive() { return this.state === 'uploading' || this.state === 'stalled'; }

  /** Bytes a second over the last moments; 0 while it is not known. */
  get speed() {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    return first && last.at > first.at ? Math.max(0, (last.sent - first.sent) / (last.at - first.at)) * 1000 : 0;
  }

  /** Asks the server how much it has; false when it has thrown the upload away. */
  async look() {
    try {
      const answer = await fetch(this.record.url, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } });
      if (answer.status === 404 || answer.status === 410) return false;
      this.sent = Number(answer.headers.get('Upload-Offset') ?? this.sent);
      if (this.state === 'missing') this.become('missing');
    } catch {
      // No connection: what was remembered stands.
    }
    return true;
  }

  become(state, problem = '') {
    this.state = state;
    this.problem = problem;
    if (state !== 'uploading') this.samples = [];
    this.dispatchEvent(new Event('change'));
  }

  begin() {
    clearTimeout(this.timer);
    this.tus ??= this.carrier();
    this.become('uploading');
    this.tus.start();
  }

  pause() {
    clearTimeout(this.timer);
    this.tus?.abort().catch(() => {});
    this.become('paused');
  }

  /** Takes it off the page; what the server has of an unfinished one goes too. */
  async discard() {
    clearTimeout(this.timer);
    const unfinished = this.record.url && !['uploaded', 'ready', 'broken'].includes(this.state);
    forget(this.record);
    await this.tus?.abort().catch(() => {});
    if (unfinished) {
      await fetch(this.record.url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } }).catch(() => {});
    }
  }

  /** A connection is back: no reason to wait any longer. */
  hurry() {
    if (this.state === 'stalled') this.begin();
  }

  carrier() {
    const { name, title, preset, policy, tags, url } = this.record;
    return new tus.Upload(this.file, {
      endpoint: ENDPOINT,
      uploadUrl: url ?? null,
      // What is unfinished is remembered by upload-memory.js, with its title and all.
      storeFingerprintForResuming: false,
      retryDelays: null,
      metadata: Object.fromEntries(Object.entries({ filename: name, title, preset, policy, tags })
        .filter(([, value]) => value)),
      onUploadUrlAvailable: () => this.keep({ url: new URL(this.tus.url, location.href).pathname }),
      onProgress: (sent) => this.progress(sent),
      onSuccess: () => {
        forget(this.record);
        this.sent = this.size;
        this.become('uploaded');
      },
      onError: (error) => this.refused(error),
    });
  }

  progress(sent) {
    const now = performance.now();
    this.sent = sent;
    this.delay = RETRY_FIRST_MS;
    this.samples.push({ at: now, sent });
    while (this.samples.length > 2 && this.samples[0].at < now - SPEED_WINDOW_MS) this.samples.shift();
    if (!this.keptAt || now - this.keptAt > 1000) {
      this.keptAt = now;
      this.keep({ offset: sent });
    }
    this.dispatchEvent(new Event('change'));
  }

  async isReadable() {
    try {
      await this.file.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  keep(changes) {
    Object.assign(this.record, changes);
    remember(this.record);
  }

  async refused(error) {
    if (!this.isActive) return;
    const answer = error.originalResponse;
    const status = answer?.getStatus() ?? 0;
    if (!PASSING.has(status)) {
      this.become('failed', wordsOf(answer));
      return;
    }
    // A browser tells a file that it cannot read from a server that it cannot reach by nothing but a try.
    const isReadable = status !== 0 || await this.isReadable();
    if (!this.isActive) return;
    if (!isReadable) {
      this.become('failed', 'This file cannot be read: it was moved or changed since it was chosen, or it is a folder. '
        + 'Remove it here and choose the file as it is now.');
      return;
    }
    this.become('stalled', status === 0 ? 'No connection. It goes on by itself.' : wordsOf(answer));
    this.timer = setTimeout(() => this.begin(), this.delay);
    this.delay = Math.min(this.delay * 2, RETRY_LIMIT_MS);
  }
}

const WORDS = {
  unauthenticated: 'You are signed out. Sign in again, then try again.',
  credential_expired: 'Your sign-in has run out. Sign in again, then try again.',
  credential_invalid: 'Your sign-in is no longer valid. Sign in again, then try again.',
  scope_missing: 'You may look, but not upload here. Ask for a token with the scope “upload”.',
  too_large: 'The file is larger than this server takes.',
  storage_full: 'The server’s disk is full. Make space, then try again.',
  upload_checksum_mismatch: 'What arrived is not what was sent. Try again.',
  upload_gone: 'The server has thrown this upload away. Try again from the start.',
  resource_exhausted: 'The server has its hands full. It goes on by itself.',
};

function wordsOf(answer) {
  try {
    const problem = JSON.parse(answer.getBody());
    return WORDS[problem.code] ?? problem.detail ?? problem.title;
  } catch {
    return answer ? `The server answered ${answer.getStatus()}.` : 'The server cannot be reached.';
  }
}
