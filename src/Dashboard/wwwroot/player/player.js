// The player: the server's state comes in, the picture and the controls follow.
//
//   Feed ──state──▶ curtain in words, or Engine.open ──▶ video
//   pointer, keys, menu ──▶ Player's verbs (play, seek, volume, …) ──▶ video, Engine
//   video, Engine ──events──▶ Controls.show…
import { Controls } from './controls.js';
import { Engine } from './engine.js';
import { Feed } from './feed.js';
import { SPEEDS, keepPreferences, readPreferences } from './preferences.js';
import { Statistics } from './statistics.js';
import { Storyboard } from './storyboard.js';
import { refusal } from './trouble.js';
import { helpDialog } from './shortcuts.js';

const RENEWALS_A_MINUTE = 2;

export class Player extends EventTarget {
  #help = null;
  #renewals = [];
  #opening = false;
  #wantsPlay = false;
  #startAt;

  #end;
  #isBeforeEnd;

  // root: the element of Player.razor; data-state-url, data-lazy, data-session, data-start, data-end, data-loop,
  // data-muted, data-language.
  constructor(root) {
    super();
    this.root = root;
    this.video = root.querySelector('video');
    this.state = null;
    this.trouble = null;
    this.storyboard = null;
    this.preferences = readPreferences();
    this.isLazy = root.hasAttribute('data-lazy');
    this.#startAt = Number(root.dataset.start) || 0;
    this.#end = Number(root.dataset.end) || Infinity;
    this.#isBeforeEnd = this.#startAt < this.#end;
    this.engine = new Engine(this.video, root.querySelector('.player-captions'));
    this.engine.wantedLanguage = root.dataset.language ?? this.preferences.captions;
    this.feed = new Feed(root.dataset.stateUrl);
    this.statistics = new Statistics(root.querySelector('.stats'), this.engine, () => [
      ['Media', this.state?.media_id ?? ''],
      ['Version', this.state?.version ?? ''],
      ['Session', root.dataset.session ?? ''],
    ]);
    this.video.volume = this.preferences.volume;
    this.video.muted = this.preferences.muted || root.hasAttribute('data-muted');
    this.controls = new Controls(this);
    this.#follow();
  }

  start() {
    if (this.root.hasAttribute('data-autoplay')) this.#wantsPlay = true;
    return this.feed.refresh();
  }

  #follow() {
    const { engine, feed } = this;
    feed.addEventListener('state', (event) => this.#take(event.detail));
    feed.addEventListener('refused', (event) => this.#refuse(event.detail));
    engine.addEventListener('opened', () => {
      this.video.playbackRate = this.preferences.speed;
      this.#opening = false;
      this.#tell();
    });
    engine.addEventListener('tracks', () => this.#tell());
    engine.addEventListener('waiting', (event) => this.controls.showWaiting(event.detail));
    engine.addEventListener('trouble', (event) => this.#meet(event.detail));
    this.video.addEventListener('timeupdate', () => this.#watchEnd());
    this.video.addEventListener('ended', () => this.#begin());
  }

  // An end that is played into, however late the page hears of it; whoever seeks behind it sees what is there.
  #watchEnd() {
    if (this.video.seeking) return;
    const wasBeforeEnd = this.#isBeforeEnd;
    this.#isBeforeEnd = this.video.currentTime < this.#end;
    if (this.#isBeforeEnd || !wasBeforeEnd) return;
    if (this.root.hasAttribute('data-loop')) this.#begin();
    else this.video.pause();
  }

  // Again from where it began, where that is asked for.
  #begin() {
    if (!this.root.hasAttribute('data-loop') || this.engine.isGrowing) return;
    this.seek(Number(this.root.dataset.start) || 0);
    this.play();
  }

  #take(state) {
    this.state = state;
    // With a link that has run out the server may still answer; what plays goes on.
    if (state.links?.storyboard && !this.storyboard) {
      this.storyboard = new Storyboard(state.links.storyboard);
      this.controls.seekBar.storyboard = this.storyboard;
    }
    if (
      state.links &&
      !this.engine.isOpen &&
      !this.#opening &&
      !this.trouble &&
      (!this.isLazy || this.#wantsPlay)
    ) {
      this.#open({ at: this.#startAt, play: this.#wantsPlay });
    }
    this.#tell();
  }

  #tell() {
    this.controls.show();
    this.dispatchEvent(new Event('change'));
  }

  #open(options) {
    this.#opening = true;
    this.trouble = null;
    this.controls.show();
    return this.engine.open(this.state.links, options);
  }

  #refuse(problem) {
    this.trouble = refusal(problem);
    this.video.pause();
    this.#tell();
  }

  async #meet(trouble) {
    this.#opening = false;
    const expired = trouble.serverCode === 'token_expired' || trouble.serverCode === 'token_missing';
    if (expired && this.#mayRenew()) {
      const [at, play] = [this.video.currentTime, !this.video.paused];
      const state = await this.feed.refresh();
      if (state?.links) {
        await this.#open({ at, play });
        return;
      }
    }
    if (trouble.serverCode === 'not_found') await this.feed.refresh();
    this.trouble ??= trouble;
    this.#tell();
  }

  #mayRenew() {
    const now = performance.now();
    this.#renewals = this.#renewals.filter((at) => now - at < 60_000);
    this.#renewals.push(now);
    return this.#renewals.length <= RENEWALS_A_MINUTE;
  }

  // ---- what a person can do ----

  get isOpen() {
    return this.engine.isOpen;
  }

  get isOpening() {
    return this.#opening;
  }

  // The whole video, also while only its beginning exists.
  get total() {
    const planned = this.state?.duration_seconds || 0;
    if (!this.isOpen) return planned;
    return this.engine.isGrowing ? Math.max(planned, this.engine.end) : this.engine.end || planned;
  }

  get takesKeys() {
    return this.isOpen || (this.isLazy && Boolean(this.state?.links));
  }

  play() {
    this.#wantsPlay = true;
    if (this.isOpen) return this.video.play().catch(() => {});
    if (this.state?.links && !this.#opening) return this.#open({ at: this.#startAt, play: true });
    return undefined;
  }

  togglePlay() {
    if (this.isOpen && !this.video.paused) {
      this.#wantsPlay = false;
      this.video.pause();
    } else if (this.isOpen && this.video.ended) this.replay();
    else this.play();
    this.controls.flash(this.video.paused ? 'pause' : 'play');
  }

  replay() {
    this.seek(0);
    this.play();
  }

  seek(seconds) {
    this.#isBeforeEnd = seconds < this.#end;
    if (!this.isOpen) {
      this.#startAt = seconds;
      return;
    }
    const last = this.engine.isGrowing ? Math.max(0, this.engine.end - 0.5) : this.engine.end;
    this.video.currentTime = Math.min(last, Math.max(0, seconds));
    this.controls.showTime();
  }

  skip(seconds) {
    this.seek(this.video.currentTime + seconds);
    this.controls.flash(seconds < 0 ? 'back' : 'forward', `${Math.abs(seconds)} s`);
  }

  seekToShare(share) {
    this.seek(this.total * share);
  }

  setVolume(volume) {
    this.video.volume = Math.min(1, Math.max(0, volume));
    this.video.muted = this.video.volume === 0;
    this.#keep({ volume: this.video.volume || this.preferences.volume, muted: this.video.muted });
  }

  changeVolume(by) {
    this.setVolume(Math.round((this.video.volume + by) * 100) / 100);
    this.controls.say(`Volume ${Math.round(this.video.volume * 100)} %`);
  }

  toggleMuted() {
    this.video.muted = !this.video.muted;
    if (!this.video.muted && this.video.volume === 0) this.video.volume = 0.5;
    this.#keep({ muted: this.video.muted });
    this.controls.say(this.video.muted ? 'Sound off' : `Volume ${Math.round(this.video.volume * 100)} %`);
  }

  setSpeed(speed) {
    this.video.playbackRate = speed;
    this.video.defaultPlaybackRate = speed;
    this.#keep({ speed });
    this.controls.say(`${speed}×`);
    this.#tell();
  }

  changeSpeed(steps) {
    const at = SPEEDS.findIndex((speed) => speed >= this.preferences.speed);
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? SPEEDS.length - 1 : at) + steps))]);
  }

  setCaptions(language) {
    this.engine.selectLanguage(language);
    this.#keep({ captions: language });
    const label = this.engine.subtitles().find((each) => each.language === language)?.label;
    this.controls.say(label ? `Subtitles: ${label}` : 'Subtitles off');
  }

  toggleCaptions() {
    const subtitles = this.engine.subtitles();
    if (subtitles.length === 0) this.controls.say('This video has no subtitles');
    else if (this.engine.language) this.setCaptions(null);
    else {
      const own = subtitles.find((each) => navigator.language.startsWith(each.language));
      this.setCaptions((own ?? subtitles[0]).language);
    }
  }

  setQuality(quality) {
    this.engine.selectQuality(quality);
    this.controls.say(quality === 'auto' ? 'Quality: auto' : `Quality: ${quality}p`);
  }

  setFormat(format) {
    if (!this.state?.links || format === this.engine.format) return undefined;
    return this.#open({ format, at: this.video.currentTime, play: !this.video.paused });
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.root.requestFullscreen) this.root.requestFullscreen().catch(() => {});
    else this.video.webkitEnterFullscreen?.(); // Phones that give only the video element the whole screen.
  }

  async togglePictureInPicture() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.video.requestPictureInPicture();
    } catch {
      this.controls.say('Picture in picture is not to be had here');
    }
  }

  toggleStatistics() {
    this.statistics.toggle();
    this.#tell();
  }

  showHelp() {
    this.#help ??= document.body.appendChild(helpDialog());
    if (!this.#help.open) this.#help.showModal();
  }

  async retry() {
    this.trouble = null;
    const at = this.video.currentTime || this.#startAt;
    this.#startAt = at;
    this.#wantsPlay = true;
    await this.engine.close();
    await this.feed.refresh();
  }

  #keep(change) {
    this.preferences = { ...this.preferences, ...change };
    keepPreferences(this.preferences);
  }
}
