// What the server says of the media, asked again for as long as it will change.
const PAUSE_MS = { uploaded: 1000, processing: 1000, playable: 3000, failed: 5000 };
const AFTER_TROUBLE_MS = 3000;

// Events: state {detail: the document}, refused {detail: problem}, lost.
export class Feed extends EventTarget {
  #timer = 0;
  #round = 0;

  constructor(url) {
    super();
    this.url = url;
    this.state = null;
  }

  // Asks now; answers the newest state, or null when there is none to be had.
  async refresh() {
    clearTimeout(this.#timer);
    const round = ++this.#round;
    let pause = AFTER_TROUBLE_MS;
    try {
      const answer = await fetch(this.url, { headers: { Accept: 'application/json' }, cache: 'no-store' });
      const body = await answer.json();
      if (round !== this.#round) return this.state;
      if (answer.ok) {
        this.state = body;
        pause = PAUSE_MS[body.state];
        this.dispatchEvent(new CustomEvent('state', { detail: body }));
      } else if (answer.status < 500) {
        pause = null;
        this.state = null;
        this.dispatchEvent(new CustomEvent('refused', { detail: body }));
      } else {
        this.dispatchEvent(new Event('lost'));
      }
    } catch {
      if (round !== this.#round) return this.state;
      this.dispatchEvent(new Event('lost'));
    }
    if (pause) this.#timer = setTimeout(() => this.refresh(), pause);
    return this.state;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#round++;
  }
}
