// Recording: what a person does on a page, told to Python as it happens. Only events that the browser trusts count.
// A secret's value never leaves the page.

const MADE_BY_MACHINE = [
  /\d{2,}/, /^:|:$/, /(?=[a-f]*\d)[0-9a-f]{6,}/i, /[bcdfghjklmnpqrstvwxz]{5,}/i, /[a-z][A-Z][a-z]?[A-Z]/,
  /^(ember|ext-|mui-|radix|headlessui|react|ng-|cdk-|yui|gwt|isc_|j_id|ctl)/i,
];

function isMade(text, digits) {
  return !text || text.length > 60 || MADE_BY_MACHINE.some((one) => one.test(text)) || (!digits && /\d/.test(text));
}

const PRESSED = "button, a[href], summary, input[type=button], input[type=submit], input[type=reset], input[type=image], " +
  "[role=button], [role=link], [role=tab], [role=menuitem], [role=option]";
const TYPED = "input:not([type=hidden]):not([type=button]):not([type=submit]):not([type=reset]):not([type=image]), " +
  "select, textarea, [contenteditable=''], [contenteditable=true], [role=switch], [role=checkbox], [role=radio]";
const SECRETS = ["current-password", "new-password", "one-time-code", "cc-number", "cc-csc"];
const secretOnes = new WeakSet();

// A password that a page shows in clear for a moment stays one.
function isSecret(element) {
  if (element.type === "password" || SECRETS.includes((element.autocomplete || "").split(" ").pop())) secretOnes.add(element);
  return secretOnes.has(element);
}

function roleOf(element) {
  const said = element.getAttribute("role");
  if (said) return said.split(" ")[0];
  return Object.keys(ROLES).find((role) => element.matches(ROLES[role])) || "";
}

const TELLING_TYPES = ["password", "email", "search", "tel", "url", "file", "date"];

function cssText(text) {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

// CSS that says what it is and not where it stands, sturdiest first.
function cssOf(element) {
  const tag = element.localName;
  const found = [];
  const name = element.getAttribute("name");
  if (name && !isMade(name, true)) found.push(`${tag}[name=${cssText(name)}]`);
  for (const {name: key, value} of element.attributes) {
    if (/^data-(?!testid$)[a-z-]*(id|test|qa|cy|field|name|key|action|col|column)$/.test(key) && !isMade(value, true)) {
      found.push(`${tag}[${key}=${cssText(value)}]`);
    }
  }
  for (const key of ["aria-label", "title", "autocomplete", "placeholder"]) {
    const value = element.getAttribute(key);
    if (value && value !== "off" && value.length < 60) found.push(`${tag}[${key}=${cssText(value)}]`);
  }
  if (element.id && !isMade(element.id, false)) found.push(`#${CSS.escape(element.id)}`);
  const href = tag === "a" ? element.getAttribute("href") : null;
  if (href && !/[?#]/.test(href) && !isMade(href, false)) found.push(`a[href=${cssText(href)}]`);
  if (tag === "input" && TELLING_TYPES.includes(element.type)) found.push(`input[type=${element.type}]`);
  for (const around of aroundOf(element)) found.push(`${around} ${tag}`);
  return found;
}

// What it lies in, by a name that lasts.
function aroundOf(element) {
  const found = [];
  for (let at = element.parentElement, up = 0; at && up < 4; at = at.parentElement, up += 1) {
    const testId = at.getAttribute("data-testid");
    if (testId && !isMade(testId, true)) found.push(`[data-testid=${cssText(testId)}]`);
    if (at.id && !isMade(at.id, false)) found.push(`#${CSS.escape(at.id)}`);
  }
  return found;
}

// XPath from the words beside it; no path from the page's top and no place in a list.
function xpathsOf(element, captions) {
  const tag = element.localName;
  const found = [];
  if (element.getRootNode() !== document) return found;
  for (const caption of captions) {
    for (const words of queryAll(document, "label, td, th, dt, legend, span, div, p, b, strong")) {
      if (words.contains(element) || words.querySelector(CONTROLS) || captionText(words.textContent) !== caption) continue;
      const text = fold(words.textContent);
      if (text.includes('"')) continue;
      const here = `//${words.localName}[normalize-space()="${text}"]`;
      if (["td", "th", "dt"].includes(words.localName)) found.push(`${here}/following-sibling::*[1]/descendant-or-self::${tag}`);
      found.push(`${here}/following::${tag}[1]`);
    }
    if (caption && !caption.includes('"') && fold(element.textContent) === caption) {
      found.push(`//${tag}[normalize-space()="${caption}"]`);
    }
  }
  return found;
}

// Candidates that find exactly this element in `root` now. `shows`: its text changes, so its text finds nothing.
function candidatesOf(element, root, captions, shows) {
  const role = roleOf(element);
  const found = [];
  const name = role ? nameOf(element, role) : "";
  const ownWords = shows && !tiedCaptions(element).includes(name);
  if (role && name && !ownWords) found.push({kind: "role", value: role, name});
  if (role && (ownWords || !name) && ["alert", "status", "grid"].includes(role)) found.push({kind: "role", value: role, name: null});
  for (const caption of tiedCaptions(element)) found.push({kind: "label", value: caption, name: null});
  const testId = element.getAttribute("data-testid");
  if (testId && !isMade(testId, true)) found.push({kind: "test_id", value: testId, name: null});
  if (element.placeholder) found.push({kind: "placeholder", value: fold(element.placeholder), name: null});
  if (!shows && element.matches(PRESSED) && captions[0]) found.push({kind: "text", value: captions[0], name: null});
  for (const value of cssOf(element)) found.push({kind: "css", value, name: null});
  if (shows) {
    for (const name of element.classList) if (!isMade(name, false)) found.push({kind: "css", value: `${element.localName}.${CSS.escape(name)}`, name: null});
  }
  for (const value of xpathsOf(element, captions)) found.push({kind: "xpath", value, name: null});
  const seen = new Set();
  return found.filter((candidate) => {
    const key = JSON.stringify(candidate);
    if (seen.has(key)) return false;
    seen.add(key);
    const hits = [...new Set(byCandidate(root, candidate, ""))].filter((one) => isVisible(one) || one.type === "file");
    return hits.length === 1 && hits[0] === element;
  });
}

function scopeFor(element) {
  const dialog = element.closest(DIALOGS);
  if (dialog) {
    const name = nameOf(dialog, "dialog");
    return {root: dialog, scope: [{kind: "dialog", value: name || null}]};
  }
  return {root: document, scope: []};
}

// Where two of a kind look the same, the group they stand in tells them apart.
function groupFor(element) {
  for (let at = element.parentElement; at; at = at.parentElement) {
    if (!at.matches("fieldset, section, [role=group], [role=region], [role=tabpanel], details")) continue;
    const caption = nameOf(at, "group") ||
      captionText(textOfFirst(at, ":scope > h1, :scope > h2, :scope > h3, :scope > header, :scope > summary"));
    if (caption && narrowGroup(document, caption) === at) return {root: at, scope: [{kind: "group", value: caption}]};
  }
  return null;
}

// A caption as a file writes it: what is tied to the element, else what stands beside it.
function captionsOf(element) {
  const captions = shownCaptions(element);
  if (captions.length) return captions;
  const beside = besideCaptions(element);
  if (beside.length || !element.matches(TYPED)) return beside;
  const before = element.previousElementSibling;
  const words = before && !before.matches(CONTROLS) && !before.querySelector(CONTROLS) ? captionText(before.textContent) : "";
  return words && words.length < 60 ? [words] : [];
}

function choicesOf(element) {
  const radios = element.matches("fieldset, [role=radiogroup]") ? radiosOf(element).map((one) => nameOf(one, "radio")) : [];
  const labels = element.localName === "select" ? [...element.options].map(optionLabel) : radios;
  return labels.filter(Boolean).slice(0, 60);
}

// A cell of a list, and not of a table that only lays out a form.
function isInList(element) {
  const list = element.closest("tbody tr, [role=row]") && element.closest("table, [role=grid], [role=treegrid]");
  return Boolean(list) && headersOf(list).length > 0;
}

function describeElement(element, {shows = false} = {}) {
  const captions = shows ? [...tiedCaptions(element), ...besideCaptions(element)] : captionsOf(element);
  let where = scopeFor(element);
  let candidates = candidatesOf(element, where.root, captions, shows);
  const group = candidates.length < 2 && !where.scope.length ? groupFor(element) : null;
  if (group) {
    const inGroup = candidatesOf(element, group.root, captions, shows);
    if (inGroup.length > candidates.length) [where, candidates] = [group, inGroup];
  }
  const list = element.getAttribute("aria-controls") || element.getAttribute("aria-owns");
  return {
    tag: element.localName, input: element.localName === "input" ? element.type : "", role: roleOf(element),
    captions: captions.slice(0, 1), candidates, scope: where.scope, secret: !shows && isSecret(element),
    name: isMade(element.getAttribute("name"), true) ? "" : element.getAttribute("name"), placeholder: element.placeholder || "", title: element.title || "",
    text: element.matches(PRESSED) ? captions[0] || "" : "",
    required: element.required === true || element.getAttribute("aria-required") === "true",
    max_length: element.maxLength > 0 ? element.maxLength : null,
    multiple: element.multiple === true, mode: element.inputMode || "", kind: element.getAttribute("data-kind") || "",
    accepts: element.localName === "input" && element.type === "file" ? element.accept : "",
    choices: choicesOf(element),
    completes: Boolean(list || element.getAttribute("aria-autocomplete") || element.list),
    editable: element.isContentEditable === true, downloads: element.hasAttribute("download"),
    submits: ["submit", "image"].includes(element.type) && Boolean(element.form), href: element.getAttribute("href") || "",
    row: isInList(element),
    blank: "value" in element && element.localName !== "select" ? element.defaultValue === "" : false,
  };
}

// A radio button is its group: what is chosen there is the label of one.
function controlOf(element) {
  if (element.type !== "radio" && element.getAttribute("role") !== "radio") return element;
  return element.closest("[role=radiogroup], fieldset") || element;
}

function valueOf(element) {
  if (isSecret(element)) return null;
  const said = read(element);
  if (said.texts) return said.texts;
  if (said.checked !== undefined) return said.checked;
  if (said.files) return said.files.map(([name]) => name);
  return said.text;
}

// Elements keep the description they had when they were first used: a page may change them by being used.
const numbers = new WeakMap();
let nextNumber = 1;

function known(element) {
  if (!numbers.has(element)) {
    shadowRoots = null;
    numbers.set(element, {number: nextNumber, said: describeElement(element)});
    nextNumber += 1;
  }
  return numbers.get(element);
}

function tell(what, more) {
  const heading = document.querySelector("main h1, h1, [role=heading]");
  const said = {what, url: location.href, title: document.title, document: documentName,
    heading: heading ? captionText(heading.textContent) : "", ...more};
  window.__interoffice_record(said);
}

const documentName = `${performance.timeOrigin}-${Math.random()}`;
let picking = false;

function typedIn(event) {
  if (!event.isTrusted || picking) return;
  const target = event.composedPath()[0];
  if (!target.matches || isOwn(target)) return;
  const typed = target.closest("[contenteditable=''], [contenteditable=true]") || target;
  if (!typed.matches(TYPED)) return;
  const control = controlOf(typed);
  const {number, said} = known(control);
  tell("typed", {number, element: said, value: valueOf(control)});
}

function pressTarget(event) {
  const path = event.composedPath().filter((one) => one.nodeType === 1);
  if (path.some((one) => isOwn(one))) return null;
  const control = path.find((one) => one.matches(`${PRESSED}, ${TYPED}, label`));
  if (control) return control.matches(`${TYPED}, label`) ? null : control;
  const soft = path.filter((one) => one.onclick || one.tabIndex >= 0 || getComputedStyle(one).cursor === "pointer");
  return soft.find((one) => one !== document.body && one !== document.documentElement) || null;
}

function pressed(event) {
  if (!event.isTrusted || picking) return;
  const element = pressTarget(event);
  if (!element) return;
  surroundings(true);
  const {number, said} = known(element);
  tell("pressed", {number, element: said, value: said.role === "option" ? fold(element.innerText || element.textContent) : null});
}

const SHOWN = "output, [role=alert], [role=status], [aria-live], [data-testid], [class*=success], [class*=error], " +
  "[class*=message], [class*=alert], [class*=saved], [class*=toast], [class*=notice], dd, td";
const MOST = 80;

function gridOf(element) {
  const columns = headersOf(element).filter(isVisible).map((one) => captionText(one.innerText || one.textContent)).filter(Boolean);
  return {...describeElement(element), columns, rows: rowsOf(element).length};
}

// What can be seen here: what only shows, lists, and controls that were not used.
let lastSeen = "";

function surroundings(force) {
  shadowRoots = null;
  const shown = queryAll(document, SHOWN).filter((one) => isVisible(one) && !one.matches(`${TYPED}, ${PRESSED}, table, form`)
    && !one.querySelector(`${CONTROLS}, table, ${PRESSED}`) && !(one.localName === "td" && one.closest("table").querySelector("thead")));
  const shows = shown.slice(0, MOST).map((one) => ({element: describeElement(one, {shows: true}), text: read(one).text.slice(0, 200)}))
    .filter((one) => one.element.candidates.length || one.element.captions.length);
  const grids = queryAll(document, "table, [role=grid], [role=treegrid]").filter((one) => isVisible(one) && headersOf(one).length)
    .slice(0, 10).map(gridOf);
  const controls = queryAll(document, `${PRESSED}, ${TYPED}`).filter((one) => isVisible(one) && !isInList(one))
    .slice(0, MOST).map((one) => known(controlOf(one)).said);
  const seen = JSON.stringify([location.href, shows, grids, controls]);
  if (seen === lastSeen && !force) return;
  lastSeen = seen;
  tell("seen", {shows, grids, controls});
}

let later = 0;

function lookLater() {
  clearTimeout(later);
  later = setTimeout(() => surroundings(false), 250);
}

// Picking: the element under the pointer is framed, a click on it is told and goes no further.
function pickTarget(event) {
  const path = event.composedPath().filter((one) => one.nodeType === 1 && !isOwn(one));
  return path.find((one) => one.matches(`${PRESSED}, ${TYPED}`)) || path[0];
}

function drawFrame(element) {
  uncover();
  const box = element.getBoundingClientRect();
  const layer = document.createElement("interoffice-cover");
  layer.style.cssText = `position:fixed;box-sizing:border-box;pointer-events:none;z-index:2147483647;border:3px solid #c2410c;` +
    `background:rgba(194,65,12,.12);left:${box.left - 3}px;top:${box.top - 3}px;width:${box.width + 6}px;height:${box.height + 6}px`;
  document.documentElement.append(layer);
}

function pick() {
  picking = true;
  addEventListener("pointermove", (event) => drawFrame(pickTarget(event)), true);
  for (const name of ["pointerdown", "mousedown", "pointerup", "mouseup", "click"]) {
    addEventListener(name, (event) => {
      if (!event.isTrusted) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (name !== "click") return;
      shadowRoots = null;
      const element = controlOf(pickTarget(event));
      const isShown = !element.matches(`${PRESSED}, ${TYPED}, table, fieldset, [role=radiogroup]`);
      const isGrid = element.matches("table, [role=grid]");
      tell("picked", {element: isGrid ? gridOf(element) : describeElement(element, {shows: isShown}), value: null, shows: isShown});
    }, true);
  }
}

addEventListener("input", typedIn, true);
addEventListener("change", typedIn, true);
addEventListener("click", pressed, true);
if (window === window.top) {
  const begin = () => {
    tell("opened", {});
    surroundings(false);
    new MutationObserver(lookLater).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
  addEventListener("load", lookLater);
}
window.__interoffice_pick = pick;
