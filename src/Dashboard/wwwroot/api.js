// Calls the platform's own API. A refusal is an error whose message is meant for people.

export async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error('The server cannot be reached. Try again in a moment.');
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw await refusalOf(answer);
}

/** What an answer that is not ok says, also where it comes from a proxy in no form of ours; who is signed out is led on. */
export async function refusalOf(answer) {
  if (answer.status === 401) signIn();
  const problem = await answer.json().catch(() => ({}));
  return Object.assign(new Error(problem.detail ?? `The server answered ${answer.status}.`), { code: problem.code });
}

/** For who was signed in when the page came: it says that this has ended, and leads back. */
export function signIn() {
  location.assign(`/sign-in?ended=1&next=${encodeURIComponent(location.pathname + location.search)}`);
}
