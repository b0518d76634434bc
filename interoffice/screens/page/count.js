// Counts what still moves in this document: requests in flight, changes of the page, a page about to be left.
// Everything that waits for the page waits for `moved`, so that no wait is a fixed pause.

const id = `${performance.timeOrigin}:${Math.random()}`;
const counted = {asked: 0, inFlight: 0, lastRequestMs: 0, lastChangeMs: performance.now(), moves: 0, leavingSinceMs: null};
const ignored = [];
const waiters = new Set();

function moved() {
  counted.moves += 1;
  for (const wake of [...waiters]) wake();
}

function isIgnored(address) {
  return ignored.some((part) => address.includes(part));
}

function beginRequest(address) {
  if (isIgnored(String(address))) return () => {};
  counted.asked += 1;
  counted.inFlight += 1;
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    counted.inFlight -= 1;
    counted.lastRequestMs = performance.now();
    moved();
  };
}

const pageFetch = window.fetch;
if (pageFetch) {
  window.fetch = function (resource, ...rest) {
    const end = beginRequest(resource && resource.url ? resource.url : resource);
    const answer = pageFetch.call(this, resource, ...rest);
    answer.then(end, end);
    return answer;
  };
}

const pageOpen = XMLHttpRequest.prototype.open;
const pageSend = XMLHttpRequest.prototype.send;
const addresses = new WeakMap();
XMLHttpRequest.prototype.open = function (method, address, ...rest) {
  addresses.set(this, address);
  return pageOpen.call(this, method, address, ...rest);
};
XMLHttpRequest.prototype.send = function (...rest) {
  const end = beginRequest(addresses.get(this));
  this.addEventListener("loadend", end);
  try {
    return pageSend.apply(this, rest);
  } catch (error) {
    end();
    throw error;
  }
};

function isOwnChange(change) {
  const nodes = [...change.addedNodes, ...change.removedNodes];
  return isOwn(change.target) || (nodes.length > 0 && nodes.every(isOwn));
}

new MutationObserver((changes) => {
  if (changes.every(isOwnChange)) return;
  counted.lastChangeMs = performance.now();
  moved();
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});

for (const name of ["input", "change", "readystatechange", "focusin", "focusout", "transitionend", "animationend"]) {
  document.addEventListener(name, moved, {capture: true, passive: true});
}
window.addEventListener("load", moved);

// A navigation begins some time after the press that sets it off; until then the old page looks quiet.
function isLeaving() {
  counted.leavingSinceMs = performance.now();
}

function leadsAway(link) {
  if (!/^https?:$/.test(link.protocol) || link.hasAttribute("download") || (link.target && link.target !== "_self")) return false;
  return link.hash === "" || link.href.split("#")[0] !== location.href.split("#")[0];
}

window.addEventListener("beforeunload", isLeaving);
window.addEventListener("submit", (event) => {
  const target = event.submitter && event.submitter.formTarget || event.target.target;
  if (!event.defaultPrevented && event.target.method !== "dialog" && (!target || target === "_self")) isLeaving();
});
window.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest("a[href]");
  if (link && !event.defaultPrevented && leadsAway(link)) isLeaving();
});
const pageSubmit = HTMLFormElement.prototype.submit;
HTMLFormElement.prototype.submit = function () {
  isLeaving();
  return pageSubmit.call(this);
};
window.addEventListener("pageshow", () => { counted.leavingSinceMs = null; });

// Resolves when something moved after `since`, at the latest after `longest` ms (a value set by a script moves nothing).
function waitForMove(since, longest) {
  if (counted.moves > since) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = () => { clearTimeout(timer); waiters.delete(wake); resolve(); };
    const timer = setTimeout(wake, longest);
    waiters.add(wake);
  });
}

function nextFrame() {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 50);
    requestAnimationFrame(() => { clearTimeout(timer); resolve(); });
  });
}

function movement() {
  const now = performance.now();
  return {
    document: id,
    address: location.href,
    loaded: document.readyState,
    moves: counted.moves,
    asked: counted.asked,
    in_flight: counted.inFlight,
    since_request_ms: now - counted.lastRequestMs,
    since_change_ms: now - counted.lastChangeMs,
    leaving_ms: counted.leavingSinceMs === null ? null : now - counted.leavingSinceMs,
  };
}
