// What is known of the media: its head line, and the list beside it.
import { localTime } from '../format.js';
import { h, setText } from '../player/dom.js';
import { bits, bytes, clock, duration, frameRate } from '../player/format.js';

const STATES = {
  uploaded: 'Waiting',
  processing: 'Processing',
  playable: 'Playable, still working',
  ready: 'Ready',
  failed: 'Failed',
  gone: 'Deleted',
};

// ffprobe names a family of containers by all their endings; people know it by one.
const CONTAINERS = { mov: 'MP4 or QuickTime', matroska: 'Matroska or WebM', mpegts: 'MPEG-TS', avi: 'AVI', asf: 'ASF (WMV)' };

const containerOf = (name) => CONTAINERS[name.split(',')[0]] ?? name.split(',')[0].toUpperCase();

export const titleOf = (media) => media.title?.trim() || media.filename?.trim() || media.media_id;

export function showHead(root, media) {
  setText(root.querySelector('h1'), titleOf(media));
  document.title = `${titleOf(media)} · Hexcast`;
  root.dataset.state = media.state;
  const badge = root.querySelector('#state');
  badge.dataset.state = media.state;
  setText(badge, STATES[media.state] ?? media.state);
  const { source } = media;
  // As the server wrote it: the line does not grow.
  setText(
    root.querySelector('#summary'),
    [
      source ? clock(source.duration_seconds) : '',
      bytes(media.size_bytes),
      media.policy === 'signed' ? 'signed links only' : 'public',
    ]
      .filter(Boolean)
      .join(' · '),
  );
  root
    .querySelector('#tags')
    .replaceChildren(
      ...media.tags.map((tag) =>
        h('li', {}, h('a', { class: 'tag', href: `/?tag=${encodeURIComponent(tag)}` }, tag)),
      ),
    );
}

export function showFacts(root, media) {
  const { source } = media;
  const since = (time) =>
    time ? `after ${duration((Date.parse(time) - Date.parse(media.created_at)) / 1000)}` : '–';
  const rows = [
    ['File', media.filename || '–'],
    ['Uploaded', h('time', { datetime: media.created_at }, localTime(media.created_at))],
    ['Playable', since(media.playable_at)],
    ['Ready', since(media.ready_at)],
    ['Size', bytes(media.size_bytes)],
    ...(source
      ? [
          [
            'Picture',
            [`${source.width} × ${source.height}`, frameRate(source.frame_rate), source.video_codec]
              .filter(Boolean)
              .join(', '),
          ],
          ['Sound', source.audio_codec || 'none'],
          [
            'Length',
            `${clock(source.duration_seconds)}${source.frames ? `, ${source.frames.toLocaleString()} frames` : ''}`,
          ],
          ['Bit rate', bits((media.size_bytes * 8) / source.duration_seconds)],
          ['Container', containerOf(source.container ?? '')],
        ]
      : []),
    ['Subtitles', subtitlesOf(media)],
    ['Preset', media.preset],
    ['SHA-256', h('code', { class: 'digest' }, media.sha256)],
    ['Media', h('code', { class: 'digest' }, media.media_id)],
    ['Version', media.version ? h('code', { class: 'digest' }, media.version) : '–'],
  ];
  const known = JSON.stringify([media.row_version, media.state]);
  if (root.dataset.known === known) return;
  root.dataset.known = known;
  root.replaceChildren(...rows.map(([term, text]) => h('div', {}, h('dt', {}, term), h('dd', {}, text))));
}

// A player reads the list of tracks once, so that only the whole media has one; what is found is told before.
function subtitlesOf(media) {
  const names = (media.subtitles ?? []).map((each) => each.label || each.language).join(', ');
  if (media.state === 'ready' || media.state === 'failed') return names || 'none';
  return names ? `${names}; in the player once the media is ready` : '–';
}
