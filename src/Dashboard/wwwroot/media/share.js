// Addresses to give away. A public media's are always the same; a signed one's carry a token that runs out.
import { localTime } from '../format.js';
import { wireCopy } from '../player/copy.js';

export class Share {
  #links = null;
  #madeFor = '';

  constructor(root, follow) {
    this.root = root;
    this.follow = follow;
    this.status = root.querySelector('[data-status]');
    root.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#make(Number(root.querySelector('select').value));
    });
    this.options = root.querySelector('[data-embed]');
    this.options.addEventListener('input', () => this.#fill());
    for (const field of root.querySelectorAll('[data-link]')) {
      const input = field.querySelector('.input');
      wireCopy(field.querySelector('button'), () => input.value);
      input.addEventListener('focus', () => input.select());
    }
  }

  show(media) {
    const signed = media.policy === 'signed';
    this.root.querySelector('form').hidden = !signed;
    this.#showLanguages(media.subtitles ?? []);
    // A change of the policy makes old addresses useless.
    const madeFor = `${media.media_id} ${media.policy}`;
    if (madeFor !== this.#madeFor) {
      this.#madeFor = madeFor;
      this.#links = null;
      if (signed) this.#say('Whoever has such a link can watch until it runs out.');
    }
    if (!signed) {
      this.#links = {
        hls: `/play/${media.media_id}/master.m3u8`,
        dash: `/play/${media.media_id}/manifest.mpd`,
        token: null,
      };
      this.#say('Public: these work for everyone who can reach this server.');
    }
    this.#fill();
  }

  async #make(seconds) {
    const button = this.root.querySelector('form button');
    button.disabled = true;
    try {
      const answer = await fetch(`${this.follow.api}/playback`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ ttl_seconds: seconds, policy: 'signed' }),
      });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail);
      this.#links = body;
      this.#say(`These work until ${localTime(body.expires_at)}.`);
    } catch (error) {
      this.#links = null;
      this.#say(error instanceof TypeError ? 'The server cannot be reached.' : error.message);
    }
    button.disabled = false;
    this.#fill();
  }

  #fill() {
    const links = this.#links;
    const { media } = this.follow;
    const query = links?.token ? `?token=${links.token}` : '';
    const whole = (path) => new URL(path, location.href).href;
    const asked = new URLSearchParams([...(links?.token ? [['token', links.token]] : []), ...this.#embedOptions()]);
    const embed = whole(`/embed/${media.media_id}${asked.size > 0 ? `?${asked}` : ''}`).replaceAll('&', '&amp;');
    const values = links
      ? {
          watch: whole(`/watch/${media.media_id}${query}`),
          embed:
            `<iframe src="${embed}" width="640" height="360" ` +
            'allow="autoplay; fullscreen; picture-in-picture"></iframe>',
          hls: whole(links.hls),
          dash: whole(links.dash),
        }
      : {};
    for (const field of this.root.querySelectorAll('[data-link]')) {
      const value = values[field.dataset.link] ?? '';
      const input = field.querySelector('.input');
      if (input.value !== value) input.value = value;
      field.querySelector('button').disabled = !value;
    }
  }

  // What the embedded player understands: docs/api/playback.md.
  #embedOptions() {
    const field = (name) => this.options.querySelector(`[name=${name}]`);
    const seconds = (name) => {
      const value = Number(field(name).value.replace(',', '.'));
      return value > 0 && Number.isFinite(value) ? [[name, String(value)]] : [];
    };
    const chosen = (name, ...pairs) => (field(name).checked ? pairs : []);
    return [
      ...seconds('start'),
      ...seconds('end'),
      ...(field('lang').value ? [['lang', field('lang').value]] : []),
      ...chosen('autoplay', ['autoplay', '1'], ['muted', '1']),
      ...chosen('loop', ['loop', '1']),
      ...chosen('controls', ['controls', '0']),
    ];
  }

  #showLanguages(subtitles) {
    const select = this.options.querySelector('[name=lang]');
    const known = subtitles.map((each) => each.language).join();
    if (select.dataset.known === known) return;
    select.dataset.known = known;
    select.replaceChildren(
      select.options[0],
      ...subtitles.map((each) => new Option(each.label || each.language, each.language)),
    );
    select.closest('label').hidden = subtitles.length === 0;
  }

  #say(words) {
    if (this.status.textContent !== words) this.status.textContent = words;
  }
}
