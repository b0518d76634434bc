// Reading what an element shows, and the rows of a grid.

const NATIVE = ["date", "number", "time", "datetime-local", "month", "week", "range"];

function radiosOf(element) {
  return [...element.querySelectorAll("input[type=radio], [role=radio]")];
}

function isChecked(element) {
  return element.checked === true || element.getAttribute("aria-checked") === "true";
}

function optionLabel(option) {
  return fold(option.label || option.textContent);
}

// {text, ...}: `native` says that a control of the browser's own holds an ISO text; `blank` an option without a value.
function read(element) {
  const tag = element.localName;
  if (tag === "select") {
    const chosen = [...element.selectedOptions];
    const texts = chosen.map(optionLabel);
    return {text: texts[0] || "", texts, blank: chosen.length === 0 || (chosen.length === 1 && chosen[0].value === "")};
  }
  if (tag === "input" && ["checkbox", "radio"].includes(element.type)) return {text: "", checked: element.checked};
  if (["checkbox", "switch"].includes(element.getAttribute("role"))) return {text: "", checked: isChecked(element)};
  if (tag === "input" && element.type === "file") return {text: "", files: [...element.files].map((f) => [f.name, f.size])};
  if (tag === "input" || tag === "textarea") {
    const native = tag === "input" && NATIVE.includes(element.type) ? element.type : null;
    const bad = native !== null && element.validity.badInput;
    return {text: element.value, native, bad};
  }
  if (element.getAttribute("role") === "radiogroup" || (tag === "fieldset" && radiosOf(element).length)) {
    const chosen = radiosOf(element).find(isChecked);
    return {text: chosen ? nameOf(chosen, "radio") : ""};
  }
  const written = "value" in element && tag === "output" ? element.value : element.innerText;
  return {text: fold(written === undefined ? element.textContent : written), lines: element.isContentEditable ? written : undefined};
}

function isEnabled(element) {
  if (!isVisible(element) && element.type !== "file") return false;
  if (element.matches(":disabled") || element.closest("[inert]")) return false;
  if (element.readOnly === true || element.getAttribute("aria-readonly") === "true") return false;
  return element.closest("[aria-disabled=true]") === null;
}

function headersOf(grid) {
  const heads = [...grid.querySelectorAll("thead th, thead td, [role=columnheader]")];
  const cells = heads.length ? heads : [...grid.querySelectorAll("tr:first-child > th")];
  return cells.filter((cell) => cell.closest("table, [role=grid], [role=treegrid]") === grid);
}

// Caption -> place of the cell; hidden columns are left out, a caption that stands twice is no caption.
function columnsOf(grid) {
  const places = {};
  let place = 0;
  for (const header of headersOf(grid)) {
    const caption = captionText(header.innerText || header.textContent || header.getAttribute("aria-label"));
    if (isVisible(header) && caption) places[caption] = caption in places ? -1 : place;
    place += header.colSpan || 1;
  }
  return places;
}

function rowsOf(grid) {
  const rows = [...grid.querySelectorAll("tbody > tr, :scope > tr, [role=row]")];
  return rows.filter((row) => isVisible(row) && cellsOf(row).length > 0);
}

function cellsOf(row) {
  return [...row.children].filter((cell) => cell.localName === "td" || ["cell", "gridcell"].includes(cell.getAttribute("role"))
    || (cell.localName === "th" && cell.scope === "row"));
}

function cellAt(row, place) {
  let at = 0;
  for (const cell of cellsOf(row)) {
    if (place >= at && place < at + (cell.colSpan || 1)) return cell;
    at += cell.colSpan || 1;
  }
  return null;
}

const INPUTS = "input:not([type=hidden]), select, textarea, [contenteditable=true]";

function cellOf(row, column, places, cellsBy) {
  if (!cellsBy) return cellAt(row, places[column.captions.find((one) => one in places)]);
  const shown = [...row.querySelectorAll(`[${cellsBy}]`)].filter(isVisible);
  return shown.find((cell) => column.captions.includes(captionText(cell.getAttribute(cellsBy)))) || null;
}

function inputIn(cell) {
  return [...cell.querySelectorAll(INPUTS)].find((input) => isVisible(input)) || null;
}

// {rows: [[reading ...] ...], missing: [captions that the grid doesn't have], shown: [captions that it has]}
function readGrid(grid, columns, cellsBy) {
  const places = columnsOf(grid);
  const rows = rowsOf(grid);
  const isThere = (column) => column.captions.some((one) => places[one] >= 0) ||
    Boolean(cellsBy && (rows.length === 0 || rows.some((row) => cellOf(row, column, places, cellsBy))));
  const missing = columns.filter((column) => !isThere(column)).map((column) => column.name);
  const readings = missing.length ? [] : rows.map((row) => columns.map((column) => {
    const cell = cellOf(row, column, places, cellsBy);
    if (cell === null) return {text: ""};
    const input = inputIn(cell);
    return input ? {...read(input), input: true} : {text: fold(cell.innerText)};
  }));
  return {rows: readings, count: rows.length, missing, shown: Object.keys(places)};
}
