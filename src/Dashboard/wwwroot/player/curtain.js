// What stands before the picture while there is none: waiting, in the works, failed, private, gone, in trouble.
const STAGES = { probe: 'Reading the source', encode: 'Encoding the first part', publish: 'Checking the whole' };

// → null, or { kind, title, words, code, fraction?, canRetry }
export function curtainOf(player) {
  const { state, trouble } = player;
  if (trouble) return { kind: 'trouble', ...trouble };
  if (!state || state.links) return null;
  switch (state.state) {
    case 'failed':
      return {
        kind: 'failed',
        title: 'This video could not be prepared',
        words: state.error?.message ?? 'The person who uploaded it can see why, and try again.',
        code: state.error?.code ?? '',
        canRetry: false,
      };
    case 'uploaded':
      return {
        kind: 'waiting',
        title: 'Waiting for its turn',
        words: 'It starts here by itself.',
        code: '',
        fraction: 0,
      };
    default:
      return {
        kind: 'waiting',
        title: 'Getting ready',
        words: stageOf(state.progress),
        code: '',
        fraction: state.progress?.fraction ?? 0,
      };
  }
}

function stageOf(progress) {
  const stage = STAGES[progress?.stage] ?? 'It starts here by itself';
  return progress?.fraction > 0 ? `${stage} · ${Math.floor(progress.fraction * 100)} %` : stage;
}
