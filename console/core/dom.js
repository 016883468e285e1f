// Builds the page from elements and text. There is no way here from a text to markup: the server's headers forbid it, too.

const SVG = "http://www.w3.org/2000/svg";

// Attributes that people read or hear.
const READ = new Set(["title", "aria-label", "placeholder", "alt"]);

/** An element: `h("p", {class: "muted", on: {click: f}}, "text", child, [more], null)`. */
export function h(tag, props, ...children) {
  return furnish(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function svg(tag, props, ...children) {
  return furnish(document.createElementNS(SVG, tag), props, children);
}

function furnish(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "value") {
      element.value = value;
    } else if (name === "style") {
      // Through the object model, which a policy without inline styles lets pass.
      for (const [rule, text] of Object.entries(value)) element.style.setProperty(rule, text);
    } else {
      element.setAttribute(name, value === true ? "" : READ.has(name) ? shown(String(value)) : String(value));
    }
  }
  append(element, children);
  return element;
}

/** Adds children; texts become text, lists are opened, nothing is left out but nothing. */
export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    parent.append(child instanceof Node ? child : shown(String(child)));
  }
  return parent;
}

// Marks that turn the direction of writing, or have no width: whoever approves by what is shown would read what is not sent.
const HIDES = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]|\r(?!\n)/gu;

/** A text as it may be shown: what turns or hides stands there as its number. */
export function shown(text) {
  return text.replace(HIDES, (mark) => `\\u{${mark.codePointAt(0).toString(16)}}`);
}

/** Puts these in the place of what an element holds. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  return append(parent, children);
}

let last = 0;

/** An id that no other element of the page has. */
export function fresh(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}

/** A link inside the console. */
export function link(href, props, ...children) {
  return h("a", { ...props, href: `/console${href}`, "data-route": true }, ...children);
}
