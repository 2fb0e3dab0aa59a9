// Small helpers for making elements.

/** Make an element: `make("p", { class: "fine" }, "text")`; attributes that are null or false are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Make an SVG element. */
export function shape(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const byId = (id) => document.getElementById(id);

/** "1 number", "2 numbers" */
export const count = (amount, noun) => `${amount} ${noun}${amount === 1 ? "" : "s"}`;

/** 0.9957 -> "99.6 %"; nothing is certain. */
export const percent = (share) => (share >= 0.9995 ? "over\u00a099.9\u00a0%" : `${(share * 100).toFixed(1)}\u00a0%`);

/** Say something to screen readers. */
export function announce(sentence) {
  byId("news").textContent = sentence;
}
