// Typing with trusted input events: focus, select, insertText, as a hand on the keyboard would.

function insertText(element, text) {
  element.focus();
  if (element.select) element.select();
  else getSelection().selectAllChildren(element);
  if (text === "") document.execCommand("delete");
  else document.execCommand("insertText", false, text);
}

// Controls that the browser draws itself (a calendar) take no text: their value is set and announced.
function setNative(element, text) {
  element.focus();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(element, text);
  element.dispatchEvent(new Event("input", {bubbles: true, composed: true}));
  element.dispatchEvent(new Event("change", {bubbles: true}));
}

function choose(element, wanted) {
  const options = [...element.options].filter((option) => !option.disabled);
  const chosen = wanted.map((text) => options.filter((option) => optionLabel(option) === text));
  const wrong = wanted.find((text, at) => chosen[at].length !== 1);
  if (wrong !== undefined) return {problem: "choice", text: wrong, choices: options.map(optionLabel).slice(0, 1000)};
  element.focus();
  const before = [...element.selectedOptions];
  const meant = chosen.map((found) => found[0]);
  if (before.length === meant.length && before.every((option) => meant.includes(option))) return null;
  for (const option of element.options) option.selected = meant.includes(option);
  element.dispatchEvent(new Event("input", {bubbles: true, composed: true}));
  element.dispatchEvent(new Event("change", {bubbles: true}));
  return null;
}

function chooseRadio(element, wanted) {
  const radios = radiosOf(element);
  const found = radios.filter((radio) => nameOf(radio, "radio") === wanted);
  if (found.length !== 1) return {problem: "choice", text: wanted, choices: radios.map((radio) => nameOf(radio, "radio"))};
  if (!isChecked(found[0])) found[0].click();
  return null;
}

// Types one value: {text, native, texts, checked}; null when it could, else {problem}.
function type(element, meant) {
  if (meant.checked !== undefined) {
    if (read(element).checked !== meant.checked) {
      element.focus();
      element.click();
    }
    return null;
  }
  if (element.localName === "select") return choose(element, meant.texts || [meant.text]);
  if (radiosOf(element).length) return chooseRadio(element, meant.text);
  if (element.localName === "input" && NATIVE.includes(element.type)) {
    if (element.type === "number") insertText(element, meant.native);
    else setNative(element, meant.native);
    return null;
  }
  if (!("value" in element) && !element.isContentEditable) return {problem: "no_input"};
  if (element.localName === "input" && meant.text.includes("\n")) return {problem: "one_line"};
  insertText(element, meant.text);
  return null;
}

function leave() {
  const active = deepActive();
  if (active && active !== document.body && active.blur) active.blur();
}

function deepActive() {
  let active = document.activeElement;
  while (active && active.shadowRoot && active.shadowRoot.activeElement) active = active.shadowRoot.activeElement;
  return active;
}

function inView(element) {
  const box = element.getBoundingClientRect();
  const inside = box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
  if (!inside) element.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
}

// What lies over the middle of an element: null when nothing does. A field's own adornments don't count.
function coverOf(element) {
  inView(element);
  const box = element.getBoundingClientRect();
  let hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  while (hit && hit.shadowRoot && hit.shadowRoot.elementFromPoint) {
    const inner = hit.shadowRoot.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!inner || inner === hit) break;
    hit = inner;
  }
  if (!hit) return {text: "nothing that can be seen", dialog: false};
  if (isInside(element, hit) || isInside(hit, element)) return null;
  if (hit.closest("label") && hit.closest("label").control === element) return null;
  if (hit.parentElement === element.parentElement && !hit.matches(DIALOGS)) return null;
  const dialog = hit.closest(DIALOGS);
  const said = dialog ? nameOf(dialog, "dialog") || fold(dialog.innerText) : fold(hit.innerText) || hit.localName;
  return {text: said.slice(0, 120), dialog: Boolean(dialog)};
}
