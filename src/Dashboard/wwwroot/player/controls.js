// What a person sees of the player, and what their pointer does. It decides nothing: it shows the player's state and
// calls its verbs.
import { setText } from './dom.js';
import { bits, clock } from './format.js';
import { Menu } from './menu.js';
import { SeekBar } from './seek-bar.js';
import { SPEEDS } from './preferences.js';
import { curtainOf } from './curtain.js';
import { Gestures } from './gestures.js';

const IDLE_MS = 2800;
const WORDS_MS = 1400;

export class Controls {
  #idle = 0;
  #words = 0;

  constructor(player) {
    this.player = player;
    this.root = player.root;
    const { video } = player;
    this.part = (name) => this.root.querySelector(`[data-part="${name}"]`);
    this.seekBar = new SeekBar(this.part('seek'), this.part('preview'), {
      get total() {
        return player.total;
      },
      get end() {
        return player.engine.end;
      },
      get time() {
        return video.currentTime;
      },
      get isGrowing() {
        return player.engine.isGrowing;
      },
      get buffered() {
        return ranges(video.buffered);
      },
      seek: (seconds) => player.seek(seconds),
    });
    this.menu = new Menu(this.part('settings'), this.part('menu'), () => this.#pages());
    this.#wireButtons();
    this.#wireVideo();
    new Gestures(this.root, player, this);
    this.root.addEventListener('focusin', () => this.wake());
    this.show();
    this.#showVolume();
    this.root.classList.add('is-wired');
  }

  #wireButtons() {
    const { player } = this;
    const verbs = {
      play: () => player.togglePlay(),
      big: () => player.togglePlay(),
      mute: () => player.toggleMuted(),
      captions: () => player.toggleCaptions(),
      pip: () => player.togglePictureInPicture(),
      fullscreen: () => player.toggleFullscreen(),
      retry: () => player.retry(),
      help: () => player.showHelp(),
    };
    for (const [name, verb] of Object.entries(verbs)) this.part(name)?.addEventListener('click', verb);
    this.part('volume').addEventListener('input', (event) => player.setVolume(Number(event.target.value)));
    if (!document.pictureInPictureEnabled) this.part('pip').hidden = true;
    const full = document.fullscreenEnabled || player.video.webkitSupportsFullscreen;
    if (!full) this.part('fullscreen').hidden = true;
    document.addEventListener('fullscreenchange', () => this.#showFullscreen());
  }

  #wireVideo() {
    const { video } = this.player;
    for (const name of ['play', 'pause', 'ended', 'seeked']) {
      video.addEventListener(name, () => {
        this.show();
        this.wake();
      });
    }
    for (const name of ['timeupdate', 'progress', 'durationchange', 'seeking']) {
      video.addEventListener(name, () => this.showTime());
    }
    video.addEventListener('volumechange', () => this.#showVolume());
    video.addEventListener('resize', () => this.menu.refresh());
    for (const name of ['enterpictureinpicture', 'leavepictureinpicture']) {
      video.addEventListener(name, () =>
        this.root.classList.toggle('is-elsewhere', document.pictureInPictureElement === video),
      );
    }
  }

  show() {
    const { player, root } = this;
    const { video, state } = player;
    const playing = player.isOpen && !video.paused && !video.ended;
    const curtain = curtainOf(player);
    root.classList.toggle('is-playing', playing);
    root.classList.toggle('is-open', player.isOpen);
    if (playing) root.classList.add('is-started');
    root.classList.toggle('is-ended', player.isOpen && video.ended);
    root.classList.toggle('is-ready', !curtain && Boolean(state?.links));
    root.classList.toggle('is-opening', player.isOpening && player.isLazy);
    root.setAttribute('aria-busy', String(!state && !player.trouble));
    const act = player.isOpen && video.ended ? 'Play again' : playing ? 'Pause' : 'Play';
    this.#label('play', act, 'K');
    this.#label('big', act);
    this.#showCurtain(curtain);
    this.#showPoster(state);
    const captions = player.engine.subtitles();
    this.part('captions').hidden = captions.length === 0;
    this.part('captions').setAttribute('aria-pressed', String(Boolean(player.engine.language)));
    this.part('quality').textContent = qualityMark(player.engine.active?.height);
    this.menu.refresh();
    this.showTime();
  }

  showTime() {
    const { player } = this;
    setText(this.part('now'), clock(player.video.currentTime));
    setText(this.part('total'), clock(player.total));
    this.part('growing').hidden = !player.engine.isGrowing;
    this.seekBar.update();
  }

  showWaiting(waiting) {
    this.root.classList.toggle('is-waiting', waiting);
  }

  #showCurtain(curtain) {
    const element = this.part('curtain');
    element.hidden = !curtain;
    if (!curtain) return;
    element.dataset.kind = curtain.kind;
    setText(this.part('curtain-title'), curtain.title);
    setText(this.part('curtain-words'), curtain.words);
    setText(this.part('curtain-code'), curtain.code);
    this.part('curtain-code').hidden = !curtain.code;
    this.part('retry').hidden = !curtain.canRetry;
    const bar = this.part('curtain-progress');
    bar.hidden = curtain.fraction === undefined;
    if (curtain.fraction > 0) bar.value = curtain.fraction;
    else bar.removeAttribute('value');
  }

  #showPoster(state) {
    const poster = state?.links?.poster;
    if (poster && this.player.video.getAttribute('poster') !== poster) this.player.video.poster = poster;
  }

  #showVolume() {
    const { video } = this.player;
    const level = video.muted ? 0 : video.volume;
    const slider = this.part('volume');
    slider.value = String(level);
    slider.style.setProperty('--level', String(level));
    slider.setAttribute('aria-valuetext', `${Math.round(level * 100)} percent`);
    this.root.dataset.volume = level === 0 ? 'off' : level < 0.5 ? 'low' : 'high';
    this.#label('mute', level === 0 ? 'Sound on' : 'Sound off', 'M');
  }

  #showFullscreen() {
    const full = document.fullscreenElement === this.root;
    this.root.classList.toggle('is-fullscreen', full);
    this.#label('fullscreen', full ? 'Leave full screen' : 'Full screen', 'F');
  }

  #label(name, words, key = '') {
    const button = this.part(name);
    if (button.getAttribute('aria-label') === words) return;
    button.setAttribute('aria-label', words);
    button.title = key ? `${words} (${key})` : words;
  }

  #pages() {
    const { player } = this;
    const { engine } = player;
    const subtitles = engine.subtitles();
    const auto = engine.wantedHeight === 'auto';
    const now = engine.active?.height;
    const pages = [
      {
        id: 'quality',
        label: 'Quality',
        value: auto ? `Auto${now ? ` (${now}p)` : ''}` : `${engine.wantedHeight}p`,
        choices: [
          {
            label: 'Auto',
            note: auto && now ? `${now}p now` : '',
            isChosen: auto,
            choose: () => player.setQuality('auto'),
          },
          ...engine
            .qualities()
            .map(({ height, bandwidth }) => ({
              label: `${height}p`,
              note: bits(bandwidth),
              isChosen: String(engine.wantedHeight) === String(height),
              choose: () => player.setQuality(height),
            })),
        ],
      },
      {
        id: 'speed',
        label: 'Speed',
        value: player.preferences.speed === 1 ? 'Normal' : `${player.preferences.speed}×`,
        choices: SPEEDS.map((speed) => ({
          label: speed === 1 ? 'Normal' : `${speed}×`,
          isChosen: speed === player.preferences.speed,
          choose: () => player.setSpeed(speed),
        })),
      },
    ];
    if (subtitles.length > 0) {
      pages.push({
        id: 'subtitles',
        label: 'Subtitles',
        value: subtitles.find((each) => each.language === engine.language)?.label ?? 'Off',
        choices: [
          { label: 'Off', isChosen: !engine.language, choose: () => player.setCaptions(null) },
          ...subtitles.map(({ language, label }) => ({
            label,
            note: language,
            isChosen: language === engine.language,
            choose: () => player.setCaptions(language),
          })),
        ],
      });
    }
    pages.push(
      {
        id: 'delivery',
        label: 'Delivery',
        value: engine.format.toUpperCase(),
        choices: ['hls', 'dash'].map((format) => ({
          label: format.toUpperCase(),
          isChosen: format === engine.format,
          choose: () => player.setFormat(format),
        })),
      },
      {
        id: 'statistics',
        label: 'Statistics',
        isOn: player.statistics.isOpen,
        toggle: () => player.toggleStatistics(),
      },
    );
    return pages;
  }

  // ---- coming and going ----

  wake() {
    this.root.classList.remove('is-idle');
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.sleep(), IDLE_MS);
  }

  sleep() {
    clearTimeout(this.#idle);
    const { root, player } = this;
    const used =
      this.menu.isOpen ||
      this.seekBar.isDragging ||
      root.querySelector('.player-bar :focus-visible') ||
      root.querySelector('.player-bar:hover');
    if (!player.isOpen || player.video.paused || used) return;
    root.classList.add('is-idle');
  }

  // A word about what just changed: seen for a moment, and read to those who listen.
  say(words) {
    const element = this.part('words');
    setText(element, words);
    element.classList.add('is-shown');
    clearTimeout(this.#words);
    this.#words = setTimeout(() => element.classList.remove('is-shown'), WORDS_MS);
    this.wake();
  }

  // A sign in the middle of the picture, or at the side that was tapped, for what a key or a tap did.
  flash(sign, words = '') {
    const element = this.part('flash');
    element.dataset.sign = sign;
    setText(element.querySelector('span'), words);
    element.classList.remove('is-shown');
    void element.offsetWidth; // Begins the animation again.
    element.classList.add('is-shown');
    this.wake();
  }
}

function ranges(buffered) {
  return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]);
}

function qualityMark(height) {
  return height >= 2160 ? '4K' : height >= 720 ? 'HD' : '';
}
