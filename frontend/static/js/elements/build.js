/** Making nodes without markup: build("td", {class: "is-number"}, "12"). Text is always text. */

const SVG = "http://www.w3.org/2000/svg";

export function build(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function buildSvg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Write a text only when it differs, so that nothing is announced or laid out again for nothing. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The same for an attribute; null takes it away. */
export function writeAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}
