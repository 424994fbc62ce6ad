// Elements from data. Text goes in as text: nothing here reads markup.
const SVG = 'http://www.w3.org/2000/svg';

// h('button', { class: 'button', type: 'button', onclick }, 'Copy'): an attribute each, but for listeners.
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Writes only what differs, so that a reader's selection and a screen reader's place survive.
export function setText(element, text) {
  const words = String(text ?? '');
  if (element.textContent !== words) element.textContent = words;
}
