// Builds the page from elements and text. There is no way here from a text to markup: the server's headers forbid it, too.

const SVG = "http://www.w3.org/2000/svg";

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
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

/** Adds children; texts become text, lists are opened, nothing is left out but nothing. */
export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
  return parent;
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
