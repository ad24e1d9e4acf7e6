/** Making elements. Text is only ever set as text here; HTML is `markdown.js`'s alone. */

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** One of the drawings in templates/chat/icons.html. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  drawing.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  drawing.append(use);
  return drawing;
}

/** A button with a drawing; its label is shown, or is only for screen readers and the pointer. */
export function makeButton(label, drawing, onClick, { showsLabel = false } = {}) {
  const kind = showsLabel ? "button quiet" : "button quiet icon-only";
  const button = make("button", { type: "button", class: kind }, icon(drawing));
  if (showsLabel) button.append(label);
  else {
    button.setAttribute("aria-label", label);
    button.title = label;
  }
  button.addEventListener("click", onClick);
  return button;
}

/** Let a text box be as high as its text; the style sheet says how high at most. */
export function growWithText(box) {
  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
  };
  box.addEventListener("input", grow);
  return grow;
}

/** What screen readers are told, when they have time. */
export function announce(text) {
  byId("announcer").textContent = text;
}
