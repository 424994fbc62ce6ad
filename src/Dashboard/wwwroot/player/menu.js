// The settings menu: one list, each entry either a switch or a door to a list of choices. Keys as in the ARIA pattern
// for menus: arrows, Home, End, Escape, ArrowLeft back.
import { h } from './dom.js';

export class Menu {
  #page = null;
  #shown = '';

  // pages(): [{ id, label, value, choices: [{ label, note, isChosen, choose() }] } | { label, isOn, toggle() }]
  constructor(button, panel, pages) {
    this.button = button;
    this.panel = panel;
    this.pages = pages;
    button.addEventListener('click', () => (this.isOpen ? this.close() : this.open()));
    panel.addEventListener('keydown', (event) => this.#key(event));
    // A click elsewhere, or the focus gone elsewhere, closes it.
    document.addEventListener('pointerdown', (event) => {
      if (this.isOpen && !panel.contains(event.target) && !button.contains(event.target)) this.close(false);
    });
    panel.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !panel.contains(event.relatedTarget) && event.relatedTarget !== button)
        this.close(false);
    });
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  open(page = null) {
    this.panel.hidden = false;
    this.button.setAttribute('aria-expanded', 'true');
    this.#go(page);
  }

  close(takeFocus = true) {
    if (!this.isOpen) return;
    this.panel.hidden = true;
    this.button.setAttribute('aria-expanded', 'false');
    if (takeFocus) this.button.focus();
  }

  // After a change of what it shows; the focus stays on the entry at the same place.
  refresh() {
    if (!this.isOpen || this.#describe() === this.#shown) return;
    const at = this.#items().indexOf(document.activeElement);
    this.#draw();
    if (at >= 0) this.#items()[Math.min(at, this.#items().length - 1)]?.focus();
  }

  #go(page, focus = null) {
    this.#page = page;
    this.#draw();
    const items = this.#items();
    const first = focus
      ? items.find((item) => item.dataset.id === focus)
      : items.find((item) => item.ariaChecked === 'true');
    (first ?? items[page ? 1 : 0] ?? items[0])?.focus();
  }

  #describe() {
    return JSON.stringify([this.#page, this.pages()]);
  }

  #draw() {
    this.#shown = this.#describe();
    const pages = this.pages();
    const page = pages.find((each) => each.id === this.#page && each.choices);
    this.panel.replaceChildren(...(page ? this.#choices(page) : pages.map((each) => this.#entry(each))));
    this.panel.setAttribute('aria-label', page ? page.label : 'Settings');
  }

  #entry(page) {
    const label = h('span', { class: 'menu-label' }, page.label);
    if (page.toggle) {
      return h(
        'button',
        {
          class: 'menu-item',
          type: 'button',
          role: 'menuitemcheckbox',
          tabindex: '-1',
          'aria-checked': String(page.isOn),
          'data-id': page.id,
          onclick: () => {
            page.toggle();
            this.close();
          },
        },
        label,
        h('span', { class: 'menu-value' }, page.isOn ? 'On' : 'Off'),
      );
    }
    return h(
      'button',
      {
        class: 'menu-item',
        type: 'button',
        role: 'menuitem',
        tabindex: '-1',
        'aria-haspopup': 'menu',
        'data-id': page.id,
        onclick: () => this.#go(page.id),
      },
      label,
      h('span', { class: 'menu-value' }, page.value),
      h('span', { class: 'menu-more', 'aria-hidden': 'true' }),
    );
  }

  #choices(page) {
    const back = h(
      'button',
      {
        class: 'menu-item menu-back',
        type: 'button',
        role: 'menuitem',
        tabindex: '-1',
        onclick: () => this.#go(null, page.id),
      },
      h('span', { class: 'menu-less', 'aria-hidden': 'true' }),
      h('span', { class: 'menu-label' }, page.label),
    );
    return [
      back,
      ...page.choices.map((choice) =>
        h(
          'button',
          {
            class: 'menu-item',
            type: 'button',
            role: 'menuitemradio',
            tabindex: '-1',
            'aria-checked': String(choice.isChosen),
            onclick: () => {
              choice.choose();
              this.close();
            },
          },
          h('span', { class: 'menu-check', 'aria-hidden': 'true' }),
          h('span', { class: 'menu-label' }, choice.label),
          choice.note ? h('span', { class: 'menu-value' }, choice.note) : null,
        ),
      ),
    ];
  }

  #items() {
    return [...this.panel.querySelectorAll('.menu-item')];
  }

  #key(event) {
    const items = this.#items();
    const at = items.indexOf(document.activeElement);
    const moves = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1,
    };
    if (event.key in moves) items[moves[event.key]].focus();
    else if (event.key === 'Escape' || (event.key === 'ArrowLeft' && this.#page)) {
      if (this.#page) this.#go(null, this.#page);
      else this.close();
    } else if (event.key === 'ArrowRight' && items[at]?.ariaHasPopup === 'menu') items[at].click();
    else if (event.key !== 'Enter' && event.key !== ' ' && event.key !== 'Tab') {
      // No key of the player's while a menu is open.
      event.stopPropagation();
      return;
    }
    event.stopPropagation();
    if (!['Enter', ' ', 'Tab'].includes(event.key)) event.preventDefault();
  }
}
