// The frame's own script: the menu closes as menus do, the theme changes without leaving the page, and times are told by
// the viewer's own clock.
import { localTimes } from './format.js';

localTimes();

for (const menu of document.querySelectorAll('[data-menu]')) {
  document.addEventListener('click', (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
}

document.querySelector('[data-theme-form]')?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  const theme = event.submitter.value;
  const body = new URLSearchParams({ theme, next: '/' });
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of form.querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button === event.submitter));
  }
  // Kept where the server reads it; it answers with a redirect that nobody needs to follow.
  await fetch(form.action, { method: 'POST', body, redirect: 'manual' }).catch(() => {});
});
