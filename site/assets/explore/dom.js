// Making nodes: text is always text, never markup.

const FORMAT = new Intl.NumberFormat("en");

/** Return an element with attributes and children; an attribute that is false is left out, one that is true is empty. */
export const element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
};

/** Return an SVG element with attributes. */
export const drawn = (name, attributes = {}, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

/** Return text that is read out and not seen. */
export const spoken = (text) => element("span", { class: "visually-hidden" }, text);

/** Set the text of a node, which is left alone where it says so already. */
export const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

/** Return a count as it is written: `1,204`. */
export const number = (count) => (count < 1000 ? String(count) : FORMAT.format(count));

/** Return a count with its noun: `1 work`, `1,204 works`. */
export const plural = (count, one) => `${number(count)} ${one}${count === 1 ? "" : "s"}`;
