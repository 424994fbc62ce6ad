// Pictures for the seek bar: a WebVTT file whose cues name a tile of a sheet, "sheet-0.jpg#xywh=160,90,160,90".
const CUE = /^(\S+)\s+-->\s+(\S+)/;
const TILE = /#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/;
const CUE_LIMIT = 20_000;

export class Storyboard {
  #tiles = [];
  #asked = null;

  constructor(url) {
    this.url = new URL(url, location.href);
  }

  // Answers once; a media without a storyboard simply has no tiles.
  load() {
    this.#asked ??= fetch(this.url)
      .then((answer) => (answer.ok ? answer.text() : ''))
      .then((text) => {
        this.#tiles = parse(text, this.url);
      })
      .catch(() => {
        this.#asked = null;
      });
    return this.#asked;
  }

  get hasTiles() {
    return this.#tiles.length > 0;
  }

  // The tile shown at a time: {sheet, x, y, width, height, start} or null.
  at(seconds) {
    let low = 0;
    let high = this.#tiles.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#tiles[middle].start <= seconds) low = middle;
      else high = middle - 1;
    }
    return this.#tiles[low] ?? null;
  }
}

export function parse(text, base) {
  const tiles = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length && tiles.length < CUE_LIMIT; i++) {
    const times = CUE.exec(lines[i]);
    const tile = times && TILE.exec(lines[i + 1] ?? '');
    if (!tile) continue;
    const [x, y, width, height] = tile.slice(1).map(Number);
    const sheet = new URL(lines[i + 1].slice(0, tile.index), base);
    if (width > 0 && height > 0) tiles.push({ sheet: sheet.href, x, y, width, height, start: seconds(times[1]) });
  }
  return tiles;
}

// "00:01:02.500" or "01:02.500"
function seconds(time) {
  return time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
