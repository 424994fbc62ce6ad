// Settings, tokens: create (shown once) and revoke as dialogs over the table, which the server renders.
import { call } from './api.js';
import { localTimes } from './format.js';

const byId = (id) => document.getElementById(id);
let revoking = null;

async function refresh() {
  const answer = await fetch('/settings/tokens/rows', { headers: { Accept: 'text/html' } });
  if (!answer.ok) return location.assign('/settings/tokens');
  byId('rows').innerHTML = await answer.text();
  return localTimes(byId('rows'));
}

byId('rows').addEventListener('click', (event) => {
  const link = event.target.closest('[data-revoke]');
  if (!link) return;
  event.preventDefault();
  revoking = { id: link.dataset.revoke, name: link.dataset.name };
  byId('revoke-name').textContent = revoking.name;
  show(byId('revoke-problem'), '');
  byId('revoke-dialog').showModal();
});

function show(place, words) {
  place.hidden = !words;
  place.textContent = words;
}

for (const close of document.querySelectorAll('dialog [data-close]')) {
  close.addEventListener('click', (event) => {
    event.preventDefault();
    close.closest('dialog').close();
  });
}

// What a token without a tenant is for.
function sayTenant() {
  const admin = byId('create-form').querySelector('[value=admin]').checked;
  byId('tenant').placeholder = admin ? 'every tenant' : 'default';
}

byId('create-form').addEventListener('change', sayTenant);

byId('create')?.addEventListener('click', (event) => {
  event.preventDefault();
  byId('create-form').reset();
  sayTenant();
  show(byId('create-problem'), '');
  byId('create-dialog').showModal();
});

byId('create-form').addEventListener('submit', async (event) => {
  // On the page that is made for browsers without script it is a form like others.
  if (!event.target.closest('dialog')) return;
  event.preventDefault();
  const form = new FormData(event.target);
  const scopes = form.getAll('scope');
  if (scopes.length === 0) {
    show(byId('create-problem'), 'Choose at least one thing that it may do.');
    return;
  }
  byId('create-submit').disabled = true;
  try {
    const token = await call('POST', '/v1/tokens', {
      name: form.get('name').trim(),
      scopes,
      ...(form.get('tenant').trim() && { tenant: form.get('tenant').trim() }),
      ...(form.get('expires') && { expires_in: Number(form.get('expires')) }),
    });
    byId('create-dialog').close();
    byId('secret').textContent = token.secret;
    byId('copy').lastElementChild.textContent = 'Copy';
    byId('secret-dialog').showModal();
    await refresh();
  } catch (failure) {
    show(byId('create-problem'), failure.message);
  }
  byId('create-submit').disabled = false;
});

byId('secret-dialog').addEventListener('close', () => {
  byId('secret').textContent = '';
});

byId('copy').addEventListener('click', async () => {
  const words = byId('copy').lastElementChild;
  try {
    await navigator.clipboard.writeText(byId('secret').textContent);
    words.textContent = 'Copied';
  } catch {
    // Without leave for the clipboard, the text is selected to be copied by hand.
    getSelection().selectAllChildren(byId('secret'));
    words.textContent = 'Press Ctrl+C';
  }
});

byId('revoke').addEventListener('click', async () => {
  byId('revoke').disabled = true;
  try {
    await call('DELETE', `/v1/tokens/${encodeURIComponent(revoking.id)}`);
    byId('revoke-dialog').close();
    document.getElementById('announcements').textContent = `${revoking.name} is revoked`;
    await refresh();
  } catch (failure) {
    show(byId('revoke-problem'), failure.message);
  }
  byId('revoke').disabled = false;
});

sayTenant();
