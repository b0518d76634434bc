// Healing: the element that is most like one that was used before, when none of its candidates finds it any more.
//
// The properties are those of Similo (Nass, Alegroth, Feldt, Leotta, Ricca: Similarity-based web element localization
// for robust test automation, ACM TOSEM 32/3, 2023), the weights our own. An element that shows another caption, or
// that another element of the screen finds, is never taken.

const WEIGHTS = {
  tag: 1, id: 1.5, name: 1.5, class: 0.5, type: 0.7, aria: 1.2, label: 2, text: 1.5, href: 0.6, alt: 0.5,
  placeholder: 0.8, test_id: 1.5, xpath: 0.6, id_xpath: 0.8, place: 0.5, size: 0.4, near: 1.3,
};

const HEALED_ROLES = {
  file: "input[type=file]",
};

function nodeStep(element) {
  const same = element.parentElement ? [...element.parentElement.children].filter((one) => one.localName === element.localName) : [element];
  return same.length > 1 ? `${element.localName}[${same.indexOf(element) + 1}]` : element.localName;
}

function pathOf(element, stopAtId) {
  const steps = [];
  for (let at = element; at && at.nodeType === 1; at = at.parentElement) {
    if (stopAtId && at !== element && at.id) {
      steps.unshift(`//*[@id="${at.id}"]`);
      return steps.join("/");
    }
    steps.unshift(nodeStep(at));
  }
  return `/${steps.join("/")}`;
}

// Words that stand near: of the row, the fieldset, the siblings; what the control itself holds is left out.
function nearWords(element) {
  const words = new Set();
  let at = element.parentElement;
  for (let up = 0; at && up < 3 && words.size < 12; up += 1, at = at.parentElement) {
    for (const word of captionText(labelText(at)).split(" ")) if (word && words.size < 12) words.add(word);
  }
  return [...words];
}

function ownText(element) {
  if (element.matches("input, select, textarea")) {
    return element.matches("input") && BUTTON_INPUTS.includes(element.type) ? captionText(element.value) : "";
  }
  return captionText(element.innerText || element.textContent).slice(0, 80);
}

function fingerprintOf(element) {
  const box = element.getBoundingClientRect();
  const attribute = (name) => element.getAttribute(name) || "";
  return {
    tag: element.localName, id: element.id || "", name: attribute("name"), class: attribute("class"),
    type: attribute("type"), aria: attribute("aria-label"), label: shownCaptions(element)[0] || "", text: ownText(element),
    href: attribute("href"), alt: attribute("alt"), placeholder: attribute("placeholder"), test_id: attribute("data-testid"),
    xpath: pathOf(element, false), id_xpath: pathOf(element, true), place: [Math.round(box.x), Math.round(box.y)],
    size: [Math.round(box.width), Math.round(box.height)], near: nearWords(element),
  };
}

// 0 to 1: how alike two texts are, by their pairs of letters.
function alike(one, other) {
  if (one === other) return 1;
  if (!one || !other) return 0;
  const pairs = (text) => Array.from({length: Math.max(text.length - 1, 1)}, (_, at) => text.slice(at, at + 2));
  const left = pairs(one);
  const right = pairs(other);
  let shared = 0;
  for (const pair of left) {
    const at = right.indexOf(pair);
    if (at >= 0) {
      shared += 1;
      right.splice(at, 1);
    }
  }
  return (2 * shared) / (left.length + shared + right.length);
}

function likeness(property, was, now) {
  switch (property) {
    case "place": {
      const away = Math.hypot(was[0] - now[0], was[1] - now[1]);
      return Math.max(0, 1 - away / 400);
    }
    case "size": {
      const [one, other] = [was[0] * was[1] || 1, now[0] * now[1] || 1];
      return Math.min(one, other) / Math.max(one, other);
    }
    case "near": {
      if (!was.length) return 1;
      return was.filter((word) => now.includes(word)).length / was.length;
    }
    case "tag": case "type": return was === now ? 1 : 0;
    case "class": {
      const [one, other] = [was.split(/\s+/), now.split(/\s+/)];
      return one.filter((word) => other.includes(word)).length / Math.max(one.length, other.length);
    }
    default: return alike(was, now);
  }
}

// The score of an element against a fingerprint, 0 to 1, and its properties by how much of them stayed.
function similarity(was, now) {
  let sum = 0;
  let whole = 0;
  const kept = [];
  const changed = [];
  for (const [property, weight] of Object.entries(WEIGHTS)) {
    const before = was[property];
    const had = Array.isArray(before) ? before.length > 0 : before !== "";
    if (!had) continue;
    const share = likeness(property, before, now[property]);
    sum += weight * share;
    whole += weight;
    if (share > 0.95) kept.push(property);
    else if (share < 0.6) changed.push(property);
  }
  return {score: whole ? sum / whole : 0, kept, changed};
}

function kindsFor(root, spec) {
  if (HEALED_ROLES[spec.type]) return queryAll(root, HEALED_ROLES[spec.type]);
  return [...new Set((ROLES_OF_TYPE[spec.type] || []).flatMap((role) => byRole(root, role, null)))];
}

// What a rejected healing is known by: the element itself, not where it stood.
function traitOf(print) {
  return [print.tag, print.id, print.name, print.label, print.text, print.id_xpath].join("|");
}

const GENERATED = /\d{3,}|[0-9a-f]{8,}|^:r|^ember|^ext-|^mui-/i;

// A candidate that finds exactly this element in the scope: the sturdiest that does.
function candidateFor(element, root, spec) {
  const print = fingerprintOf(element);
  const quoted = (text) => `"${text.replace(/["\\]/g, "\\$&")}"`;
  const found = [];
  if (print.label) found.push({kind: "label", value: print.label, name: null});
  if (print.test_id) found.push({kind: "test_id", value: print.test_id, name: null});
  if (print.name && !GENERATED.test(print.name)) found.push({kind: "css", value: `${print.tag}[name=${quoted(print.name)}]`, name: null});
  if (print.id && !GENERATED.test(print.id)) found.push({kind: "css", value: `#${CSS.escape(print.id)}`, name: null});
  if (print.placeholder) found.push({kind: "placeholder", value: fold(print.placeholder), name: null});
  if (spec.type === "button" && print.text) found.push({kind: "text", value: print.text, name: null});
  found.push({kind: "xpath", value: print.id_xpath, name: null});
  found.push({kind: "xpath", value: print.xpath, name: null});
  return found.find((candidate) => {
    const hits = [...new Set(byCandidate(candidate.kind === "xpath" ? document : root, candidate, spec.type))].filter(isVisible);
    return hits.length === 1 && hits[0] === element;
  }) || null;
}

// {healed: {candidate, score, next, kept, changed, print, trait}} or {refused: why in words}
function heal({spec, print, rivals, rejected, threshold, captioned, margin}) {
  shadowRoots = null;
  const {root, missing} = scopeOf(spec.scope);
  if (!root) return {refused: `nothing is shown for its scope "${missing}"`};
  const sought = rivals.map((rival) => ({...rival, element: find(rival.spec).element}));
  const taken = new Set(sought.map((rival) => rival.element).filter(Boolean));
  const isList = (one) => one.localName === "select"; // a list of choices never serves for what was typed into, nor the other way
  const visible = kindsFor(root, spec).filter((one) => (isVisible(one) || spec.hidden) && !taken.has(one) &&
    isList(one) === (print.tag === "select"));
  const scored = visible.map((element) => {
    const now = fingerprintOf(element);
    return {element, now, ...similarity(print, now)};
  }).sort((one, other) => other.score - one.score);
  if (!scored.length) return {refused: "nothing on the screen could be it that no other element finds"};
  const [best, second] = scored;
  const next = second ? second.score : 0;
  const round = (score) => Math.round(score * 100) / 100;
  const said = `the most similar element is ${round(best.score)} alike, the next ${round(next)}`;
  const shown = shownCaptions(best.element);
  const own = spec.captions.length ? spec.captions : [print.label].filter(Boolean);
  const needed = shown.some((caption) => own.includes(caption)) ? captioned : threshold;
  if (best.score < needed || best.score - next < margin) return {refused: said};
  if (shown.length && own.length && !shown.some((caption) => own.includes(caption))) {
    return {refused: `${said}, but it shows "${shown[0]}", not "${own[0]}"`, shows: shown[0]};
  }
  const lost = sought.find((rival) => !rival.element && rival.print && similarity(rival.print, best.now).score >= best.score);
  if (lost) return {refused: `${said}, but it is as much like "${lost.called}", which is not there either`};
  const trait = traitOf(best.now);
  if (rejected.includes(trait)) return {refused: `${said}, and a person has rejected it`};
  const candidate = candidateFor(best.element, root, spec);
  if (!candidate) return {refused: `${said}, and nothing tells it apart`};
  return {healed: {candidate, score: round(best.score), next: round(next), kept: best.kept, changed: best.changed, print: best.now, trait}};
}

// The fingerprints of elements that are found now.
function fingerprints({specs}) {
  shadowRoots = null;
  const prints = {};
  for (const spec of specs) {
    const found = find(spec);
    if (found.element) prints[spec.key] = fingerprintOf(found.element);
  }
  return prints;
}
