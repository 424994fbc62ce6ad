// Shaka player on the page's video element: opening, switching, and getting over a token that has run out.
const TOKEN_RENEWALS_A_MINUTE = 2;
const SEEK_SECONDS = 10;

const EXPLANATIONS = {
  1: 'The connection to the server was lost.',
  3: 'This browser could not decode the video.',
  4: 'The list of segments could not be read.',
};

export class WatchPlayer extends EventTarget {
  constructor(video, api) {
    super();
    this.video = video;
    this.api = api;
    this.shaka = null;
    this.format = 'hls';
    this.error = null;
    this.isOpen = false;
    this.media = null;
    this.turn = Promise.resolve();
    this.renewals = [];
    this.wanted = 'auto';
  }

  // Called at each change of the media; the first time there is something to play, it opens.
  mediaChanged(media) {
    this.media = media;
    const playable = media.state === 'playable' || media.state === 'ready';
    if (playable && !this.shaka && !this.opening) {
      this.opening = true;
      this.open(this.format);
    }
  }

  // Calls wait for each other: two loads at once leave the element in either's state.
  open(format) {
    this.turn = this.turn.then(() => this.#load(format)).catch((error) => this.#fail(error));
    return this.turn;
  }

  async close() {
    await this.turn;
    this.isOpen = false;
    await this.shaka?.destroy();
    this.shaka = null;
  }

  async #load(format) {
    shaka.polyfill.installAll();
    if (!shaka.Player.isBrowserSupported()) throw new Error('This browser cannot play segmented video.');
    const at = this.isOpen ? this.video.currentTime : 0;
    const wasPlaying = this.isOpen && !this.video.paused;
    const links = await this.#links();
    if (!this.shaka) await this.#create();
    if (this.media?.poster) this.video.poster = links.poster;
    this.format = format;
    this.error = null;
    // The start is named: a growing playlist would otherwise open at its newest end.
    this.isOpen = false;
    await this.shaka.load(format === 'dash' ? links.dash : links.hls, at);
    this.isOpen = true;
    this.selectQuality(this.wanted);
    this.dispatchEvent(new Event('tracks'));
    if (wasPlaying) await this.video.play();
  }

  async #create() {
    const player = new shaka.Player();
    await player.attach(this.video);
    player.configure({ streaming: { bufferingGoal: 30, rebufferingGoal: 1 } });
    for (const name of ['trackschanged', 'adaptation', 'variantchanged', 'manifestupdated']) {
      player.addEventListener(name, () => this.dispatchEvent(new Event('tracks')));
    }
    player.addEventListener('error', (event) => this.#fail(event.detail));
    this.shaka = player;
  }

  async #links() {
    const answer = await fetch(`${this.api}/playback`, { method: 'POST' });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    return answer.json();
  }

  #fail(error) {
    if (error.code === shaka.util.Error.Code.LOAD_INTERRUPTED) return;
    // BAD_HTTP_STATUS carries the status second.
    if (error.code === shaka.util.Error.Code.BAD_HTTP_STATUS && error.data[1] === 403 && this.#mayRenew()) {
      this.open(this.format);
      return;
    }
    this.error = `${error.code ?? ''} ${error.message}`.trim();
    console.error(error);
    if (error.severity === shaka.util.Error.Severity.RECOVERABLE) return;
    const text = error.category ? EXPLANATIONS[error.category] ?? 'Playback stopped.' : error.message;
    this.dispatchEvent(new CustomEvent('trouble', { detail: error.code ? `${text} (error ${error.code})` : text }));
  }

  #mayRenew() {
    const now = performance.now();
    this.renewals = this.renewals.filter((at) => now - at < 60_000);
    this.renewals.push(now);
    return this.renewals.length <= TOKEN_RENEWALS_A_MINUTE;
  }

  // One entry a height, tallest first.
  qualities() {
    const heights = new Set((this.shaka?.getVariantTracks() ?? []).map((track) => track.height).filter(Boolean));
    return [...heights].sort((a, b) => b - a);
  }

  // "auto" or a height.
  selectQuality(quality) {
    this.wanted = String(quality);
    if (!this.isOpen) return;
    const track = this.shaka.getVariantTracks().find((t) => String(t.height) === this.wanted);
    this.shaka.configure({ abr: { enabled: !track } });
    if (track) this.shaka.selectVariantTrack(track, /* clearBuffer= */ true);
    this.dispatchEvent(new Event('tracks'));
  }

  stats() {
    if (!this.isOpen) return null;
    const active = this.shaka.getVariantTracks().find((track) => track.active);
    const { estimatedBandwidth } = this.shaka.getStats();
    const { totalVideoFrames = 0, droppedVideoFrames = 0 } = this.video.getVideoPlaybackQuality?.() ?? {};
    const { buffered, currentTime } = this.video;
    let ahead = 0;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i)) ahead = buffered.end(i) - currentTime;
    }
    return {
      currentTime,
      duration: this.video.duration,
      width: this.video.videoWidth,
      height: this.video.videoHeight,
      frames: totalVideoFrames,
      dropped: droppedVideoFrames,
      bufferAhead: ahead,
      bandwidth: estimatedBandwidth,
      trackHeight: active?.height ?? null,
      codecs: [active?.videoCodec, active?.audioCodec].filter(Boolean).join(', '),
      live: this.shaka.isLive(),
    };
  }

  // True if the key means something. The focused video element handles its own keys, but for those it has none for.
  key(key, onVideo) {
    const { video } = this;
    switch (key) {
      case ' ':
        if (onVideo) return false;
      // falls through
      case 'k': video.paused ? video.play() : video.pause(); return true;
      case 'ArrowLeft': if (onVideo) return false; // falls through
      case 'j': video.currentTime -= SEEK_SECONDS; return true;
      case 'ArrowRight': if (onVideo) return false; // falls through
      case 'l': video.currentTime += SEEK_SECONDS; return true;
      case 'm': video.muted = !video.muted; return true;
      case 'f':
        if (document.fullscreenElement) document.exitFullscreen();
        else video.requestFullscreen();
        return true;
      default: return false;
    }
  }
}
