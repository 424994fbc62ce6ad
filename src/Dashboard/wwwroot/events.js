// The server's events, for as long as the page is open. An EventSource takes up a stream that broke by itself, but
// gives up for good at any answer other than 200: of a node that starts, of a proxy with nothing behind it.
//
//   open ──breaks──▶ away ──the browser tries again──▶ open: missed()
//                     └─refused─▶ who am I? ─401─▶ the sign-in page
//                                   └─else─▶ opened anew after a wait ─▶ open: missed()
import { signIn } from './api.js';

const WAIT_FIRST_MS = 500;
const WAIT_LIMIT_MS = 15_000;
// A break that mends itself is nothing to speak of.
const SILENCE_MS = 1500;

/**
 * handlers: what to do with each event by name, given its data. opened() at each opening; missed() at each that
 * follows trouble, for what was not told meanwhile; away() when the stream is lost. Answers a function that ends it.
 */
export function follow(url, handlers, { opened = () => {}, missed = () => {}, away = () => {} } = {}) {
  let source = null;
  let wait = WAIT_FIRST_MS;
  let isAway = false;
  let ended = false;
  let opening = 0;
  let speaking = 0;

  function open() {
    source = new EventSource(url);
    for (const [name, take] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => take(JSON.parse(event.data)));
    }
    source.addEventListener('open', arrive);
    source.addEventListener('error', leave);
  }

  function arrive() {
    clearTimeout(speaking);
    const after = isAway;
    isAway = false;
    wait = WAIT_FIRST_MS;
    say('');
    opened();
    if (after) missed();
  }

  function leave() {
    if (!isAway) {
      isAway = true;
      speaking = setTimeout(() => say('The server does not answer. What you see may be out of date; it is tried again.'),
        SILENCE_MS);
      away();
    }
    if (source.readyState === EventSource.CLOSED) reopen();
  }

  async function reopen() {
    const refusal = await statusOf(url);
    if (ended) return;
    if (refusal === 401) {
      signIn();
      return;
    }
    // Not all pages at once when a server is back.
    opening = setTimeout(open, wait * (0.5 + Math.random() / 2));
    wait = Math.min(wait * 2, WAIT_LIMIT_MS);
  }

  open();
  return () => {
    ended = true;
    clearTimeout(opening);
    clearTimeout(speaking);
    say('');
    source.close();
  };
}

/** An EventSource does not tell why it was refused. */
async function statusOf(url) {
  const request = new AbortController();
  try {
    return (await fetch(url, { signal: request.signal, cache: 'no-store' })).status;
  } catch {
    return 0;
  } finally {
    request.abort();
  }
}

function say(words) {
  const place = document.getElementById('away');
  if (place.textContent !== words) place.textContent = words;
}
