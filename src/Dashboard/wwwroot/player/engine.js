// Shaka player on a video element: opening, switching, measuring. What a person sees of it is in controls.js.
import { explain } from './trouble.js';

const SCRIPT = new URL('../lib/shaka-player.js', import.meta.url);
const BUFFER_AHEAD_SECONDS = 30;
const LATENCIES_KEPT = 20;
const INDEX_ATTEMPTS = 5;

let loading = null;

// The library is large: it is fetched when there is something to play, once.
function loadShaka() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = SCRIPT;
    script.addEventListener('load', () => {
      shaka.polyfill.installAll();
      [window.MediaSource, window.ManagedMediaSource].forEach(neverEndEmpty);
      resolve();
    });
    script.addEventListener('error', () => {
      script.remove();
      loading = null;
      reject(new Error('The player could not be loaded.'));
    });
    document.head.append(script);
  });
  return loading;
}

// Shaka ends the stream when sound and picture have their last segments; the sound's may arrive while the buffer of a
// quality that was left is being emptied. A browser then takes the picture for over: it stands still while the sound
// goes on. Left out, the end is told again once the new quality is there.
function neverEndEmpty(source) {
  if (!source) return;
  const { endOfStream } = source.prototype;
  source.prototype.endOfStream = function (...reason) {
    if ([...this.sourceBuffers].every(({ buffered }) => buffered.length > 0)) endOfStream.apply(this, reason);
  };
}

// Events: opened, tracks, trouble {detail: see trouble.js}, waiting {detail: bool}.
export class Engine extends EventTarget {
  #turn = Promise.resolve();
  #latencies = [];
  #observer = null;
  #choice = 0;
  #textChoice = 0;
  #manifest = null; // shaka.extern.Manifest of HLS. Those of DASH have no playlists to wait for.
  #renditions = []; // shaka.extern.Variant, of which its tracks tell only a part.

  constructor(video, captions) {
    super();
    this.video = video;
    this.captions = captions;
    this.shaka = null;
    this.isOpen = false;
    this.format = 'hls';
    this.wantedHeight = 'auto';
    this.wantedLanguage = null;
    this.error = null;
  }

  // Calls wait for each other: two loads at once leave the element in either's state.
  open(links, { format = this.format, at = null, play = false } = {}) {
    this.#turn = this.#turn.then(() => this.#load(links, format, at, play)).catch((error) => this.#fail(error));
    return this.#turn;
  }

  async close() {
    await this.#turn;
    this.isOpen = false;
    await this.shaka?.destroy();
    this.shaka = null;
  }

  async #load(links, format, at, play) {
    await loadShaka();
    if (!shaka.Player.isBrowserSupported()) throw new Error('This browser cannot play segmented video.');
    if (!this.shaka) await this.#create();
    this.format = format;
    this.error = null;
    this.isOpen = false;
    this.#choice++;
    this.#textChoice++;
    this.#manifest = null;
    // The start is named: a growing playlist would otherwise open at its newest end.
    await this.shaka.load(format === 'dash' ? links.dash : links.hls, at ?? 0);
    this.isOpen = true;
    this.selectQuality(this.wantedHeight);
    this.selectLanguage(this.wantedLanguage);
    this.dispatchEvent(new Event('opened'));
    this.dispatchEvent(new Event('tracks'));
    if (play) await this.video.play().catch(() => {});
  }

  async #create() {
    shaka.media.ManifestParser.registerParserByMime('application/x-mpegurl', () => this.#parser());
    const player = new shaka.Player();
    player.setVideoContainer(this.captions);
    await player.attach(this.video);
    player.configure({
      // With requests made ahead, a seek that falls into the request of a new quality's header stops the picture for
      // good: shaka aborts that request, keeps it as made ahead, and takes it up again and again (its issue 10569).
      streaming: { bufferingGoal: BUFFER_AHEAD_SECONDS, rebufferingGoal: 1, segmentPrefetchLimit: 0 },
      abr: { restrictToElementSize: false },
      abrFactory: () => this.#adaptation(),
    });
    for (const name of ['trackschanged', 'adaptation', 'variantchanged', 'textchanged', 'manifestupdated']) {
      player.addEventListener(name, () => this.dispatchEvent(new Event('tracks')));
    }
    player.addEventListener('buffering', (event) => {
      this.dispatchEvent(new CustomEvent('waiting', { detail: event.buffering }));
    });
    player.addEventListener('error', (event) => this.#fail(event.detail));
    this.#observer = new PerformanceObserver((list) => this.#measure(list.getEntries()));
    this.#observer.observe({ type: 'resource' });
    this.shaka = player;
  }

  // Shaka's own, whose manifest we see too.
  #parser() {
    const parser = new shaka.hls.HlsParser();
    const start = parser.start.bind(parser);
    parser.start = async (...given) => (this.#manifest = await start(...given));
    return parser;
  }

  // Shaka's own, which is told what there is to choose from.
  #adaptation() {
    const manager = new shaka.abr.SimpleAbrManager();
    const take = manager.setVariants.bind(manager);
    manager.setVariants = (variants, ...rest) => {
      this.#renditions = variants;
      return take(variants, ...rest);
    };
    return manager;
  }

  #measure(entries) {
    for (const entry of entries) {
      // What the browser's own cache answered says nothing of the server.
      if (!entry.name.includes('.m4s') || entry.transferSize === 0) continue;
      this.#latencies.push({
        wait: entry.responseStart - entry.requestStart,
        whole: entry.responseEnd - entry.startTime,
        bytes: entry.encodedBodySize,
      });
    }
    this.#latencies.splice(0, this.#latencies.length - LATENCIES_KEPT);
  }

  #fail(error) {
    const code = error?.code;
    if (code === 7000 || code === 7001) return; // LOAD_INTERRUPTED, OPERATION_ABORTED: another load took over.
    this.error = `${code ?? ''} ${error?.message ?? ''}`.trim();
    // Shaka tries again by itself after a recoverable one.
    if (code && error.severity === shaka.util.Error.Severity.RECOVERABLE) return;
    this.dispatchEvent(new CustomEvent('trouble', { detail: explain(error) }));
  }

  // One entry a height, tallest first.
  qualities() {
    const best = new Map();
    for (const track of this.#variants()) {
      if (track.height && !(best.get(track.height)?.bandwidth >= track.bandwidth)) best.set(track.height, track);
    }
    return [...best.values()]
      .sort((a, b) => b.height - a.height)
      .map((track) => ({ height: track.height, bandwidth: track.videoBandwidth || track.bandwidth }));
  }

  // "auto" or a height.
  selectQuality(wanted) {
    this.wantedHeight = wanted;
    const choice = ++this.#choice;
    if (!this.isOpen) return;
    const track = this.#variants().find((each) => String(each.height) === String(wanted));
    this.shaka.configure({ abr: { enabled: !track } });
    if (track && !track.active) this.#switchTo(track, choice);
    this.dispatchEvent(new Event('tracks'));
  }

  // A second switch while shaka waits for the playlist of the first stops the picture for good: its next step is then
  // planned while the buffer is being emptied, where it is neither taken nor planned again. So it never waits: what it
  // leaves and what it goes to have their playlists before it switches. What is on the screen plays on meanwhile.
  async #switchTo(track, choice) {
    const ids = [this.active?.id, track.id];
    const streams = this.#renditions.filter((each) => ids.includes(each.id)).map((each) => each.video);
    if (!(await this.#haveIndexes(streams, () => choice === this.#choice))) return;
    this.shaka.selectVariantTrack(track, /* clearBuffer= */ true);
    this.dispatchEvent(new Event('tracks'));
  }

  // False if it is not wanted any more. Where a playlist cannot be had, shaka is left to say so.
  async #haveIndexes(streams, isWanted) {
    for (let i = 0; i < INDEX_ATTEMPTS; i++) {
      await Promise.all(streams.map((each) => each.createSegmentIndex())).catch(() => {});
      // Shaka itself may wait for the same, and goes first.
      await new Promise((resolve) => setTimeout(resolve));
      if (!isWanted() || !this.isOpen) return false;
      if (streams.every((each) => each.segmentIndex)) break;
    }
    return true;
  }

  subtitles() {
    return (this.isOpen ? this.shaka.getTextTracks() : []).map((track) => ({
      language: track.language,
      label: track.label || languageName(track.language),
    }));
  }

  // A language, or null for none.
  selectLanguage(language) {
    this.wantedLanguage = language;
    const choice = ++this.#textChoice;
    if (!this.isOpen) return;
    const track = this.shaka.getTextTracks().find((each) => each.language === language);
    if (track) this.#showText(track, choice);
    else this.shaka.selectTextTrack(null);
    this.dispatchEvent(new Event('tracks'));
  }

  // As with a quality, a seek while shaka waits for the playlist of what was chosen would leave it without.
  async #showText(track, choice) {
    const streams = this.#manifest?.textStreams.filter((each) => each.id === track.id) ?? [];
    if (!(await this.#haveIndexes(streams, () => choice === this.#textChoice))) return;
    this.shaka.selectTextTrack(track);
    this.dispatchEvent(new Event('tracks'));
  }

  // What is shown, or null.
  get language() {
    return this.subtitles().find((each) => each.language === this.wantedLanguage)?.language ?? null;
  }

  get active() {
    return this.#variants().find((track) => track.active) ?? null;
  }

  // The version still grows.
  get isGrowing() {
    return this.isOpen && (this.shaka.isLive() || this.shaka.isInProgress());
  }

  // Seconds that can be played now.
  get end() {
    if (!this.isOpen) return 0;
    return this.isGrowing ? this.shaka.seekRange().end : this.video.duration || 0;
  }

  get bufferedAhead() {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= currentTime + 0.1 && currentTime <= buffered.end(i))
        return buffered.end(i) - currentTime;
    }
    return 0;
  }

  stats() {
    if (!this.isOpen) return null;
    const { active, video } = this;
    const { totalVideoFrames = 0, droppedVideoFrames = 0 } = video.getVideoPlaybackQuality?.() ?? {};
    return {
      currentTime: video.currentTime,
      duration: video.duration,
      width: video.videoWidth,
      height: video.videoHeight,
      frames: totalVideoFrames,
      dropped: droppedVideoFrames,
      bufferAhead: this.bufferedAhead,
      bandwidth: this.shaka.getStats().estimatedBandwidth,
      trackHeight: active?.height ?? null,
      bitrate: active?.bandwidth ?? 0,
      frameRate: active?.frameRate ?? 0,
      codecs: [active?.videoCodec, active?.audioCodec].filter(Boolean).join(', '),
      latency: this.#latencies.at(-1) ?? null,
      medianWait: median(this.#latencies.map((each) => each.wait)),
      growing: this.isGrowing,
      format: this.format,
    };
  }

  #variants() {
    return this.isOpen ? this.shaka.getVariantTracks() : [];
  }
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[Math.floor(sorted.length / 2)];
}

export function languageName(language) {
  try {
    return new Intl.DisplayNames([navigator.language, 'en'], { type: 'language' }).of(language);
  } catch {
    return language; // Not a BCP 47 tag: shown as it is.
  }
}
