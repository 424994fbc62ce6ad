// Puts text onto the clipboard. Browsers give the modern way only to pages over TLS or from this machine.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  // Within a dialog, nothing outside it can be selected.
  (document.querySelector('dialog[open]') ?? document.body).append(field);
  const focused = document.activeElement;
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  focused?.focus?.();
  return done;
}

// A button that copies what text() answers, and says so for a moment.
export function wireCopy(button, text) {
  const words = button.textContent;
  let timer = 0;
  button.addEventListener('click', async () => {
    const done = await copy(text());
    clearTimeout(timer);
    label(button, done ? 'Copied' : 'Select it and copy by hand');
    timer = setTimeout(() => label(button, words), 1600);
  });
}

// The last text in it; an icon before it stays.
function label(button, words) {
  const text = [...button.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()).at(-1);
  if (text) text.data = words;
  else button.append(words);
}
