// What Python calls. Every call finds its elements afresh: nothing found earlier is trusted.

function statement(spec, found) {
  const said = {by: found.by, counts: found.counts, why: found.why, refused: found.refused || null,
    missing: found.missing || null, second: found.second === undefined ? null : found.second};
  const element = found.element;
  if (!element) return spec.in_row ? {...said, cells: cellsShown(scopeOf(spec.scope).root)} : said;
  said.visible = isVisible(element);
  said.enabled = isEnabled(element);
  said.shown = shownCaptions(element);
  said.reading = spec.grid ? {text: "", rows: rowsOf(element).length} : read(element);
  if (spec.wants_cover) said.cover = coverOf(element);
  return said;
}

// A row that was typed into shows plain cells once the focus has left it.
function cellsShown(row) {
  return row && row.matches && row.matches("tr, [role=row]") ? cellsOf(row).filter(isVisible).map((cell) => fold(cell.innerText)) : [];
}

function lookAt(specs) {
  shadowRoots = null;
  const states = {};
  for (const spec of specs) states[spec.key] = statement(spec, find(spec));
  return states;
}

// What the elements show now. `since`: first wait until something moved after that many moves; `frame`: first let the
// page draw once, so that what an act has set off is begun.
// `press`: an element to aim at in the same breath. `disarm`: first say what the guard of a press has seen.
async function look({specs, since, longest, frame, press, disarm: isOver}) {
  const seen = isOver ? disarm() : null;
  if (frame) await nextFrame();
  if (since !== null && since !== undefined) await waitForMove(since, longest);
  const states = lookAt(specs);
  const aimed = press ? aim({...press, row: null}) : null;
  return {...movement(), states, aimed, seen};
}

// Types all values in one go, leaves the last field, and reads them back: in the same breath, or with what stands beside
// them once the page has drawn.
async function fill({fields, leave_field, beside}) {
  shadowRoots = null;
  const problems = {};
  for (const {spec, meant} of fields) {
    const found = find(spec);
    if (!found.element) problems[spec.key] = {problem: "not_found", state: statement(spec, found)};
    else if (!isEnabled(found.element)) problems[spec.key] = {problem: "disabled"};
    else {
      const cover = coverOf(found.element);
      const problem = cover ? {problem: "covered", cover} : type(found.element, meant);
      if (problem) problems[spec.key] = problem;
    }
    if (problems[spec.key]) break;
  }
  if (leave_field) leave();
  if (beside) await nextFrame();
  return {...movement(), problems, states: lookAt([...fields.map((field) => field.spec), ...(beside || [])])};
}

function grid({spec, columns, cells_by}) {
  shadowRoots = null;
  const found = find(spec);
  const state = statement(spec, found);
  if (!found.element) return {...movement(), state, grid: null};
  return {...movement(), state, grid: readGrid(found.element, columns, cells_by)};
}

// Types one row of a grid; the row must be there.
function fillRow({spec, columns, cells_by, row, values}) {
  shadowRoots = null;
  const found = find(spec);
  if (!found.element) return {...movement(), problem: "not_found", state: statement(spec, found)};
  const rows = rowsOf(found.element);
  if (row >= rows.length) return {...movement(), problem: "no_row", count: rows.length};
  const places = columnsOf(found.element);
  for (let at = 0; at < columns.length; at += 1) {
    const cell = cellOf(rows[row], columns[at], places, cells_by);
    const input = cell && inputIn(cell);
    if (!input || !isEnabled(input)) return {...movement(), problem: "no_input", column: columns[at].name};
    if (values[at] === null) continue;
    const problem = type(input, values[at]);
    if (problem) return {...movement(), ...problem, column: columns[at].name};
  }
  leave();
  return {...movement(), problem: null};
}

// Before a press: the element's middle, and a guard that lets the click reach this element or nothing at all.
let guard = null;

function aim({spec, row, held}) {
  shadowRoots = null;
  disarm();
  const found = find(spec);
  if (!found.element) return {problem: "not_found", state: statement(spec, found)};
  const isRow = row !== null && row !== undefined;
  const element = isRow ? wordsOf(rowsOf(found.element)[row]) : found.element;
  if (!element) return {problem: "not_found", state: statement(spec, found)};
  if (!isRow && !isEnabled(element)) return {problem: "disabled"};
  const cover = coverOf(element);
  if (cover) return {problem: "covered", cover};
  const box = element.getBoundingClientRect();
  arm(found.element, held || []);
  return {problem: null, state: statement(spec, found), x: box.left + box.width / 2, y: box.top + box.height / 2};
}

// Where a row is pressed: its first cell that holds words and nothing to press. A first click may draw the row anew, so
// the guard of a row is its whole grid.
function wordsOf(row) {
  if (!row) return null;
  const calm = cellsOf(row).filter((cell) => isVisible(cell) && fold(cell.innerText) && !cell.querySelector("input, button"));
  return calm.find((cell) => !cell.querySelector("a[href]")) || calm[0] || row;
}

// What elements show, as one text. A press is let through only while all that was read for it still stands.
function readingsOf(specs) {
  shadowRoots = null;
  return JSON.stringify(specs.map((spec) => {
    const {element} = find(spec);
    return element ? (spec.grid ? rowsOf(element).length : read(element)) : null;
  }));
}

const PRESSES = ["pointerdown", "mousedown", "pointerup", "mouseup", "click", "dblclick"];

function arm(element, held) {
  const seen = {hits: 0, strays: 0, changed: false};
  const label = element.labels && element.labels[0];
  const shown = held.length ? readingsOf(held) : null;
  const listen = (event) => {
    const path = event.composedPath();
    if (event.type === "pointerdown" && shown !== null && readingsOf(held) !== shown) seen.changed = true;
    if (!seen.changed && (path.includes(element) || (label && path.includes(label)))) {
      if (event.type === "click") seen.hits += 1;
      return;
    }
    seen.strays += 1;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  for (const name of PRESSES) window.addEventListener(name, listen, true);
  guard = {seen, listen};
}

function disarm() {
  if (guard === null) return {hits: 0, strays: 0, changed: false};
  for (const name of PRESSES) window.removeEventListener(name, guard.listen, true);
  const {seen} = guard;
  guard = null;
  return seen;
}

function focusOn({spec}) {
  shadowRoots = null;
  const found = find(spec);
  if (!found.element) return false;
  found.element.focus();
  return true;
}

// What no picture and no copy may show: elements, or the cells of some columns of a grid.
function hiddenElements(specs) {
  return specs.flatMap((spec) => {
    const {root} = scopeOf(spec.scope);
    const found = root ? spec.candidates.flatMap((candidate) => byCandidate(root, candidate, spec.type)) : [];
    if (!spec.columns) return found;
    return found.flatMap((grid) => {
      const places = columnsOf(grid);
      return rowsOf(grid).flatMap((row) => spec.columns.map((column) => cellOf(row, column, places, spec.cells_by)));
    });
  }).filter(Boolean);
}

// What they show, for what else may hold it.
function hiddenTexts({specs}) {
  shadowRoots = null;
  return hiddenElements(specs).flatMap((one) => [one.value, one.innerText]).filter((text) => typeof text === "string" && text.trim());
}

// Black boxes over them; they lie in an element of their own that the page doesn't count.
function cover({specs}) {
  shadowRoots = null;
  const layer = document.createElement("interoffice-cover");
  layer.style.cssText = "position:absolute;left:0;top:0;z-index:2147483647;pointer-events:none";
  for (const element of new Set(hiddenElements(specs))) {
    const box = element.getBoundingClientRect();
    const black = document.createElement("div");
    black.style.cssText = `position:absolute;background:#000;left:${box.left + scrollX}px;top:${box.top + scrollY}px;` +
      `width:${box.width}px;height:${box.height}px`;
    layer.append(black);
  }
  document.documentElement.append(layer);
}

// Frames round elements, each with its name, in the layer that `uncover` takes away; how many were drawn.
function outline({elements}) {
  shadowRoots = null;
  const layer = document.createElement("interoffice-cover");
  layer.style.cssText = "position:absolute;left:0;top:0;z-index:2147483647;pointer-events:none";
  let drawn = 0;
  for (const {spec, said, is_drift} of elements) {
    const {element} = find(spec);
    if (!element || !isVisible(element)) continue;
    const colour = is_drift ? "#c2410c" : "#15803d";
    const box = element.getBoundingClientRect();
    const frame = document.createElement("div");
    frame.style.cssText = `position:absolute;box-sizing:border-box;border:2px solid ${colour};` +
      `left:${box.left + scrollX - 2}px;top:${box.top + scrollY - 2}px;width:${box.width + 4}px;height:${box.height + 4}px`;
    const name = document.createElement("div");
    name.textContent = said;
    name.style.cssText = `position:absolute;right:0;top:-9px;padding:0 4px;background:${colour};color:#fff;` +
      "font:11px/14px sans-serif;white-space:nowrap";
    frame.append(name);
    layer.append(frame);
    drawn += 1;
  }
  document.documentElement.append(layer);
  return {drawn};
}

function uncover() {
  for (const layer of document.querySelectorAll("interoffice-cover")) layer.remove();
}

// The entries of a completion list, and a press on one of them.
function options({css}) {
  shadowRoots = null;
  return queryAll(document, css).filter(isVisible).map((element) => fold(element.innerText || element.textContent));
}

function aimAtOption({css, at}) {
  shadowRoots = null;
  disarm();
  const element = queryAll(document, css).filter(isVisible)[at];
  if (!element) return {problem: "not_found", state: {by: -1, counts: [], why: "none"}};
  const cover = coverOf(element);
  if (cover) return {problem: "covered", cover};
  const box = element.getBoundingClientRect();
  arm(element, []);
  return {problem: null, x: box.left + box.width / 2, y: box.top + box.height / 2};
}

// Hands the element itself to Python, for files.
function element({spec}) {
  shadowRoots = null;
  return find(spec).element;
}

// The page as text for the evidence: no scripts, no typed values, sensitive elements emptied.
function copy({specs}) {
  const mark = "data-interoffice-empty";
  shadowRoots = null;
  const marked = hiddenElements(specs);
  for (const element of marked) element.setAttribute(mark, "");
  const twin = document.documentElement.cloneNode(true);
  for (const element of marked) element.removeAttribute(mark);
  for (const gone of twin.querySelectorAll("script, noscript, template, interoffice-cover")) gone.remove();
  for (const input of twin.querySelectorAll("input, textarea")) input.removeAttribute("value");
  for (const hidden of twin.querySelectorAll(`[${mark}]`)) hidden.textContent = "";
  return `<!doctype html>\n${twin.outerHTML}`;
}

function ignore(parts) {
  ignored.splice(0, ignored.length, ...parts);
}

function stay() {
  counted.leavingSinceMs = null;
}

window.__interoffice = {look, fill, grid, fillRow, aim, disarm, leave, focusOn, options, aimAtOption, element, cover, outline, uncover, hiddenTexts, copy, ignore, stay, heal, fingerprints};
