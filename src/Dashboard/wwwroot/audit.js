// Settings, audit log: a page of entries, then older ones on demand.
import { call } from './api.js';
import { localTime } from './format.js';

const PAGE = 50;
const byId = (id) => document.getElementById(id);
let cursor = null;

async function load() {
  byId('more').disabled = true;
  try {
    const page = await call('GET', `/v1/audit?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    byId('rows').append(...page.entries.map(row));
    cursor = page.next_cursor;
    byId('more').hidden = !cursor;
    byId('nothing').hidden = byId('rows').children.length > 0;
    byId('trouble').hidden = true;
  } catch (failure) {
    byId('trouble').hidden = false;
    byId('trouble').textContent = failure.message;
    byId('more').hidden = !cursor;
  }
  byId('more').disabled = false;
  byId('audit').setAttribute('aria-busy', 'false');
}

function row(entry) {
  const line = byId('row').content.firstElementChild.cloneNode(true);
  const fill = (name, words) => {
    line.querySelector(`[data-${name}]`).textContent = words ?? '';
  };
  fill('at', localTime(entry.at));
  fill('who', entry.who);
  fill('action', entry.action);
  fill('target', entry.target);
  fill('address', entry.address);
  const outcome = document.createElement('span');
  outcome.className = `badge ${entry.outcome === 'ok' ? 'badge-good' : 'badge-bad'}`;
  outcome.textContent = entry.outcome;
  line.querySelector('[data-outcome]').append(outcome);
  return line;
}

byId('more').addEventListener('click', load);
load();
