// Settings, tokens: list, create (shown once), revoke after a question.
import { call } from './api.js';
import { localTime } from './format.js';

const byId = (id) => document.getElementById(id);
const rows = byId('rows');
let revoking = null;

async function load() {
  try {
    const { tokens } = await call('GET', '/v1/tokens');
    rows.replaceChildren(...tokens.map(row));
    show(byId('trouble'), '');
  } catch (failure) {
    show(byId('trouble'), failure.message);
  }
  byId('tokens').setAttribute('aria-busy', 'false');
}

function row(token) {
  const line = byId('row').content.firstElementChild.cloneNode(true);
  const cell = (name) => line.querySelector(`[data-${name}]`);
  cell('name').textContent = token.name;
  const scopes = document.createElement('span');
  scopes.append(...token.scopes.map((scope) => Object.assign(document.createElement('span'), {
    className: 'tag scope', textContent: scope,
  })));
  cell('scopes').append(scopes);
  cell('tenant').textContent = token.tenant ?? 'every';
  cell('expires').textContent = token.expires_at ? localTime(token.expires_at) : 'never';
  cell('used').textContent = token.last_used_at ? localTime(token.last_used_at) : 'not yet';
  const revoke = line.querySelector('button');
  if (token.admin_file) {
    revoke.replaceWith('in admin.token');
    return line;
  }
  revoke.setAttribute('aria-label', `Revoke ${token.name}`);
  revoke.addEventListener('click', () => {
    revoking = token;
    byId('revoke-name').textContent = token.name;
    show(byId('revoke-problem'), '');
    byId('revoke-dialog').showModal();
  });
  return line;
}

function show(place, words) {
  place.hidden = !words;
  place.textContent = words;
}

for (const close of document.querySelectorAll('[data-close]')) {
  close.addEventListener('click', () => close.closest('dialog').close());
}

// What a token without a tenant is for.
function sayTenant() {
  const admin = byId('create-form').querySelector('[value=admin]').checked;
  byId('tenant').placeholder = admin ? 'every tenant' : 'default';
}

byId('create-form').addEventListener('change', sayTenant);

byId('create').addEventListener('click', () => {
  byId('create-form').reset();
  sayTenant();
  show(byId('create-problem'), '');
  byId('create-dialog').showModal();
});

byId('create-form').addEventListener('submit', async (event) => {
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
    await load();
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
    await load();
  } catch (failure) {
    show(byId('revoke-problem'), failure.message);
  }
  byId('revoke').disabled = false;
});

byId('create').hidden = false;
load();
