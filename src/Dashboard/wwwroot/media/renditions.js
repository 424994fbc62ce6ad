// What the version consists of: a row a rendition, bars to compare them by.
import { h, svg } from '../player/dom.js';
import { bits, bytes, frameRate } from '../player/format.js';

export function showRenditions(root, media) {
  const renditions = [...(media.renditions ?? [])].sort((a, b) => (b.height || 0) - (a.height || 0));
  root.querySelector('[data-none]').hidden = renditions.length > 0;
  root.querySelector('.table-scroll').hidden = renditions.length === 0;
  const highest = Math.max(1, ...renditions.map((each) => each.average_bitrate || 0));
  const largest = Math.max(1, ...renditions.map((each) => each.size_bytes || 0));
  root
    .querySelector('tbody')
    .replaceChildren(
      ...renditions.map((each) =>
        h(
          'tr',
          {},
          h(
            'th',
            { scope: 'row' },
            each.kind === 'audio' ? 'Sound' : `${each.height}p`,
            h('code', { class: 'muted' }, each.id),
          ),
          h('td', {}, content(each)),
          h('td', {}, h('code', {}, each.codec)),
          h(
            'td',
            { class: 'number' },
            bits(each.average_bitrate),
            bar((each.average_bitrate || 0) / highest),
            h('span', { class: 'muted small' }, `peak ${bits(each.peak_bitrate)}`),
          ),
          h(
            'td',
            { class: 'number' },
            bytes(each.size_bytes),
            bar((each.size_bytes || 0) / largest),
            h('span', { class: 'muted small' }, `${each.segments} segments`),
          ),
        ),
      ),
    );
  const total = renditions.reduce((sum, each) => sum + (each.size_bytes || 0), 0);
  root.querySelector('[data-total]').textContent = renditions.length > 0 ? `${bytes(total)} together` : '';
}

function content(each) {
  if (each.kind === 'audio') return `${each.channels} channels, ${each.sample_rate_hz / 1000} kHz`;
  return [`${each.width} × ${each.height}`, frameRate(each.frame_rate)].filter(Boolean).join(', ');
}

function bar(share) {
  return svg(
    'svg',
    { class: 'share', viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { width: 100, height: 4, class: 'share-all' }),
    svg('rect', { width: Math.max(1, share * 100), height: 4 }),
  );
}
