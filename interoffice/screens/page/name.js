// What a person reads: texts, accessible names and captions of elements.

const FOLDED = /[\s\u00a0\u2007\u202f]+/g;

function fold(text) {
  return (text || "").normalize("NFC").replace(FOLDED, " ").trim();
}

// A caption as it is compared: whole, blanks folded, `:` and `*` at the end dropped.
function captionText(text) {
  return fold(text).replace(/[\s:*]+$/u, "");
}

function isOwn(node) {
  return Boolean(node && node.nodeType === 1 && node.closest && node.closest("interoffice-cover"));
}

function isVisible(element) {
  if (element.checkVisibility && !element.checkVisibility()) return false;
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility === "visible";
}

const CONTROLS = "input, select, textarea, button, [contenteditable=''], [contenteditable=true]";

// The text of a label or cell without the values of the controls inside it.
function labelText(element) {
  if (!element.querySelector(CONTROLS)) return element.textContent;
  let text = "";
  for (const node of element.childNodes) {
    if (node.nodeType === 3) text += node.data;
    else if (node.nodeType === 1 && !node.matches(CONTROLS)) text += ` ${labelText(node)}`;
  }
  return text;
}

function byIds(element, ids) {
  const root = element.getRootNode();
  const found = ids.split(/\s+/).map((one) => root.getElementById && root.getElementById(one)).filter(Boolean);
  return found.map((one) => one.textContent).join(" ");
}

const BUTTON_INPUTS = ["button", "submit", "reset", "image"];

// Captions that the page itself ties to the element: labels, aria, its own words.
function tiedCaptions(element) {
  const found = [];
  for (const label of element.labels || []) found.push(labelText(label));
  const labelledBy = element.getAttribute("aria-labelledby");
  if (labelledBy) found.push(byIds(element, labelledBy));
  found.push(element.getAttribute("aria-label"));
  const tag = element.localName;
  if (tag === "input" && BUTTON_INPUTS.includes(element.type)) found.push(element.value || element.alt);
  if (tag === "fieldset") found.push(textOfFirst(element, ":scope > legend"));
  if (tag === "table") found.push(textOfFirst(element, ":scope > caption"));
  if (tag === "img") found.push(element.alt);
  return found.map(captionText).filter(Boolean);
}

function textOfFirst(element, css) {
  const first = element.querySelector(css);
  return first ? first.textContent : "";
}

const NAMED_BY_CONTENT = ["button", "link", "tab", "menuitem", "option", "heading", "cell", "columnheader", "row",
  "switch", "checkbox", "radio", "treeitem"];

// The accessible name, as far as office applications need it (accname-1.2, without CSS content).
function nameOf(element, role) {
  const labelledBy = element.getAttribute("aria-labelledby");
  const named = (labelledBy && byIds(element, labelledBy)) || element.getAttribute("aria-label") || tiedCaptions(element)[0];
  if (named && captionText(named)) return captionText(named);
  if (NAMED_BY_CONTENT.includes(role) && element.localName !== "input") {
    const text = captionText(element.innerText || element.textContent);
    if (text) return text;
    const picture = element.querySelector("img[alt], [aria-label]");
    if (picture) return captionText(picture.alt || picture.getAttribute("aria-label"));
  }
  if (role === "dialog" || role === "alertdialog") {
    const heading = element.querySelector("h1, h2, h3, h4, [role=heading], .modal-title");
    if (heading) return captionText(heading.textContent);
  }
  return captionText(element.getAttribute("title") || element.getAttribute("placeholder"));
}

// What stands beside an element where the page ties nothing to it: a definition's term, the cell or label before it.
function besideCaptions(element) {
  const found = [];
  const cell = element.closest("td, th, dd");
  if (cell && cell.localName === "dd") {
    let term = cell.previousElementSibling;
    while (term && term.localName === "dd") term = term.previousElementSibling;
    if (term) found.push(term.textContent);
  } else if (cell && !cell.closest("table").querySelector("thead")) {
    if (cell.previousElementSibling) found.push(labelText(cell.previousElementSibling));
  }
  const before = element.previousElementSibling;
  if (before && before.localName === "label" && !before.control) found.push(before.textContent);
  return found.map(captionText).filter(Boolean);
}

function shownCaptions(element) {
  const tied = tiedCaptions(element);
  if (tied.length) return tied;
  if (["button", "a", "summary"].includes(element.localName) || element.getAttribute("role") === "button") {
    return [captionText(element.innerText || element.textContent)].filter(Boolean);
  }
  return besideCaptions(element);
}
