// What went wrong, in words that say what to do. By the server's own code where it gave one, else by shaka's.
const BY_SERVER_CODE = {
  token_missing: ['This video is private', 'Open it with the whole link that you were given, or sign in.', false],
  token_invalid: [
    'This link does not open the video',
    'It was changed, or belongs to another video. Ask for a new one.',
    false,
  ],
  token_expired: ['This link has run out', 'Ask the person who gave it to you for a new one.', true],
  not_found: [
    'The video is no longer there',
    'It was deleted, or a newer version took its place. Try again.',
    true,
  ],
  not_playable: ['There is nothing to play yet', 'The first seconds are still being made.', true],
  unavailable: ['The server is busy or starting', 'It will be back in a moment.', true],
};

const BY_SHAKA_CATEGORY = {
  1: ['The connection was lost', 'The server did not answer. Check the network and try again.'],
  3: ['This browser could not decode the video', 'Another quality may work, or another browser.'],
  4: ['The video’s table of contents could not be read', 'Try again; switch between HLS and DASH if it stays.'],
  5: ['Playback stopped', 'The player lost its place in the video.'],
  6: ['This video is protected', 'This browser has no key for it.'],
};

const BAD_HTTP_STATUS = 1001;

// → { title, words, code, serverCode, canRetry }
export function explain(error) {
  const serverCode = error?.code === BAD_HTTP_STATUS ? problemCode(error.data) : null;
  const known = BY_SERVER_CODE[serverCode];
  if (known) {
    const [title, words, canRetry] = known;
    return { title, words, code: serverCode, serverCode, canRetry };
  }
  if (error?.category) {
    const [title, words] = BY_SHAKA_CATEGORY[error.category] ?? ['Playback stopped', 'Try again.'];
    return { title, words, code: serverCode ?? `error ${error.code}`, serverCode, canRetry: true };
  }
  const words = error?.message ?? '';
  return { title: 'The video cannot be played here', words, code: '', serverCode, canRetry: true };
}

// The server lets nobody in who shows what this page showed.
export function refusal(problem) {
  const gone = problem?.code === 'not_found';
  const [title, words] = gone
    ? ['This video is gone', 'It was deleted.']
    : (BY_SERVER_CODE[problem?.code] ?? ['This video is private', problem?.detail ?? '']);
  return {
    title,
    words,
    code: gone ? '' : (problem?.code ?? ''),
    serverCode: problem?.code ?? null,
    canRetry: false,
  };
}

// BAD_HTTP_STATUS carries the address, the status and the body; ours is a problem document (RFC 9457).
function problemCode(data) {
  try {
    return JSON.parse(data[2]).code ?? null;
  } catch {
    return data?.[1] === 404 ? 'not_found' : null;
  }
}
