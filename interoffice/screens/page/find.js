// Finding: a scope chain narrows where to look, then the candidates are tried in order; the first that matches exactly
// one visible element serves.

const ROLES = {
  alert: "[role=alert]",
  alertdialog: "[role=alertdialog]",
  button: "button, input[type=button], input[type=submit], input[type=reset], input[type=image], summary",
  cell: "td",
  checkbox: "input[type=checkbox]",
  columnheader: "th",
  combobox: "select:not([multiple]):not([size]), select[size='1'], input[list]",
  dialog: "dialog[open]",
  grid: "[role=grid]",
  group: "fieldset, details",
  heading: "h1, h2, h3, h4, h5, h6",
  img: "img",
  link: "a[href], area[href]",
  listbox: "select[multiple], select[size]:not([size='1'])",
  option: "option",
  progressbar: "progress",
  radio: "input[type=radio]",
  region: "section",
  row: "tr",
  searchbox: "input[type=search]",
  spinbutton: "input[type=number]",
  status: "output",
  table: "table",
  textbox: "input:not([type]), input[type=text], input[type=email], input[type=tel], input[type=url], " +
    "input[type=password], textarea, [contenteditable=''], [contenteditable=true]",
};

const ROLES_OF_TYPE = {
  text: ["textbox", "searchbox", "combobox"],
  number: ["textbox", "spinbutton"],
  money: ["textbox", "spinbutton"],
  date: ["textbox"],
  choice: ["combobox", "listbox", "radiogroup"],
  multi_choice: ["listbox", "group"],
  yes_no: ["checkbox", "switch"],
  relation: ["combobox", "textbox", "searchbox"],
  rich_text: ["textbox"],
  button: ["button", "link", "tab", "menuitem"],
  grid: ["grid", "treegrid", "table"],
  one_to_many: ["group", "region"],
};

// Open shadow roots are passed through; the list is made once per call from Python.
let shadowRoots = null;

function rootsIn(root) {
  if (shadowRoots === null) {
    shadowRoots = [];
    const gather = (from) => {
      for (const element of from.querySelectorAll("*")) {
        if (element.shadowRoot) {
          shadowRoots.push(element.shadowRoot);
          gather(element.shadowRoot);
        }
      }
    };
    gather(document);
  }
  return shadowRoots.length ? shadowRoots.filter((one) => isInside(root, one.host)) : [];
}

function isInside(root, node) {
  for (let at = node; at; at = at.parentNode || at.host) if (at === root) return true;
  return false;
}

function queryAll(root, css) {
  const found = [...root.querySelectorAll(css)];
  for (const shadow of rootsIn(root)) found.push(...shadow.querySelectorAll(css));
  return found.filter((element) => !isOwn(element));
}

function byRole(root, role, name) {
  const explicit = `[role="${CSS.escape(role)}"]`;
  const implicit = (ROLES[role] || "").split(", ").filter(Boolean).map((one) => `${one}:not([role])`);
  const found = queryAll(root, [explicit, ...implicit].join(", "));
  return name === null ? found : found.filter((element) => nameOf(element, role) === name);
}

function byCaption(root, caption, type) {
  const byType = (ROLES_OF_TYPE[type] || []).flatMap((role) => byRole(root, role, caption));
  if (byType.length) return byType;
  if (type !== "read_only") return byLabel(root, caption);
  const labelled = queryAll(root, "output, input, textarea, select, [aria-label], [aria-labelledby]");
  const tied = labelled.filter((element) => tiedCaptions(element).includes(caption));
  return tied.length ? tied : queryAll(root, "dd, td").filter((element) => besideCaptions(element).includes(caption));
}

function byLabel(root, caption) {
  const css = "input, select, textarea, button, output, meter, progress, [aria-label], [aria-labelledby]";
  return queryAll(root, css).filter((element) => tiedCaptions(element).includes(caption));
}

function byText(root, text) {
  const whole = queryAll(root, "*").filter((element) => {
    return element.localName !== "script" && element.localName !== "style" && captionText(element.textContent) === text;
  });
  return whole.filter((element) => !whole.some((other) => other !== element && element.contains(other)));
}

function byXpath(root, path) {
  const from = root === document ? document : root;
  const found = document.evaluate(path, from, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
  return Array.from({length: found.snapshotLength}, (_, at) => found.snapshotItem(at)).filter((one) => one.nodeType === 1);
}

function byCandidate(root, candidate, type) {
  switch (candidate.kind) {
    case "caption": return byCaption(root, candidate.value, type);
    case "role": return byRole(root, candidate.value, candidate.name);
    case "label": return byLabel(root, candidate.value);
    case "test_id": return queryAll(root, `[data-testid="${CSS.escape(candidate.value)}"]`);
    case "placeholder": return queryAll(root, "[placeholder]").filter((one) => fold(one.placeholder) === candidate.value);
    case "text": return byText(root, candidate.value);
    case "css": return queryAll(root, candidate.value);
    case "xpath": return byXpath(root, candidate.value);
    default: return [];
  }
}

function topmost(elements) {
  const height = (element) => {
    const box = element.getBoundingClientRect();
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
    return hit && (element === hit || element.contains(hit)) ? 1 : 0;
  };
  return elements.slice().sort((a, b) => height(a) - height(b)).pop();
}

const TAKE = {
  first: (found) => found[0],
  last: (found) => found[found.length - 1],
  topmost,
  only: (found) => (found.length === 1 ? found[0] : undefined),
};

const DIALOGS = "dialog[open], [role=dialog], [role=alertdialog], [aria-modal=true]";
const ROWS = "tbody > tr, [role=row]";

function rowWith(rows, key) {
  const holds = (row) => [...row.querySelectorAll("td, th, [role=cell], [role=gridcell]")].some((cell) => {
    const input = cell.querySelector("input, select, textarea");
    return fold(input ? input.value : cell.textContent) === key;
  });
  return TAKE.only(rows.filter(holds));
}

function narrowRow(root, place) {
  const rows = queryAll(root, ROWS).filter(isVisible);
  if (place === "first") return rows[0];
  if (place === "last" || place === "new") return rows[rows.length - 1];
  return rowWith(rows, place);
}

function narrowGroup(root, caption) {
  const groups = queryAll(root, "fieldset, section, table, [role=group], [role=region], [role=tabpanel], form, details");
  const named = (element) => nameOf(element, "group") === caption ||
    captionText(textOfFirst(element, ":scope > h1, :scope > h2, :scope > h3, :scope > header, :scope > summary")) === caption;
  return TAKE.only(groups.filter((element) => isVisible(element) && named(element)));
}

function narrowOwn(root, step) {
  let found = queryAll(root, step.css).filter(isVisible);
  if (step.value !== null && step.caption) {
    found = found.filter((element) => captionText(textOfFirst(element, step.caption)) === step.value);
  }
  return TAKE[step.take](found);
}

function narrow(root, step) {
  switch (step.kind) {
    case "page": return document;
    case "css": return TAKE.only(queryAll(root, step.value).filter(isVisible));
    case "group": return narrowGroup(root, step.value);
    case "row": return narrowRow(root, step.value);
    case "active_tab": return TAKE.only(queryAll(root, "[role=tabpanel], .tab-pane.active").filter(isVisible));
    case "dialog": {
      const open = queryAll(document, DIALOGS).filter(isVisible);
      if (step.value === null) return topmost(open);
      return TAKE.only(open.filter((element) => nameOf(element, "dialog") === step.value));
    }
    default: return narrowOwn(root, step);
  }
}

// Where an element is looked for: the innermost scope, or undefined and the step that leads nowhere.
function scopeOf(chain) {
  let root = document;
  for (const step of chain) {
    root = narrow(root, step);
    if (!root) return {root, missing: step.said};
  }
  return {root, missing: null};
}

// Does the element show another element's caption and not its own? Then it is that other one, whatever found it.
function strangerCaption(spec, element) {
  if (!spec.protects) return null;
  const shown = shownCaptions(element);
  if (!shown.length || shown.some((caption) => spec.captions.includes(caption))) return null;
  const other = shown.find((caption) => spec.others[caption]);
  return other === undefined ? null : {caption: other, of: spec.others[other]};
}

// One element: {element, by, counts, why ...}; `by` is the candidate's place, -1 when none serves.
function find(spec) {
  const {root, missing} = scopeOf(spec.scope);
  if (!root) return {element: null, by: -1, counts: [], why: "scope", missing};
  const counts = [];
  let served = null;
  let refused = null;
  let second = null;
  spec.candidates.forEach((candidate, at) => {
    if (served && !spec.commits && !spec.thorough) return;
    const found = [...new Set(byCandidate(root, candidate, spec.type))].filter((one) => spec.hidden || isVisible(one));
    counts.push(found.length);
    if (found.length !== 1) return;
    const stranger = strangerCaption(spec, found[0]);
    if (stranger) refused = refused || stranger;
    else if (!served) served = {element: found[0], by: at};
    else if (served.element !== found[0]) second = second === null ? at : second;
  });
  if (served) return {...served, counts, why: null, second};
  const several = counts.find((count) => count > 1);
  return {element: null, by: -1, counts, why: refused ? "stranger" : several ? "several" : "none", refused};
}
