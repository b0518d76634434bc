"""Mutations of the practice applications' pages, or of Tryton's: elements found right, found wrong, handed to a person.

    .venv/bin/python benchmarks/healing.py [--seeds 5] [--tryton] [--json FILE]

Every element that is typed into, and every button that does not commit, of every screen of the practice ERP and
CRM is used once, so that its fingerprint is kept. Then the page is loaded again, changed by a script, and the
element is sought as a session seeks it: `written` by the candidates of its file and then by healing, `healing`
with all its candidates taken away, which measures healing alone (of what may be healed). The referee is a mark
on the element itself, which no search sees. Duplicated and relabelled elements are scored apart: handing them
to a person is right too, and so is the removed one. `--tryton`: the forms of its web client instead, with their
one-to-many, an inline row and two dialogs, saved as pages from a running Tryton (npm must be there). Exit code 1
when an element that is typed into was found wrong, or a removed one was found.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from peers import PROJECT

sys.path.insert(0, str(PROJECT))

from interoffice.errors import BotError
from interoffice.practice.office import PracticeOffice
from interoffice.resources.browser import Browser
from interoffice.screens.healing import MARGIN, THRESHOLD, TYPES
from tests.support.screens import TODAY, practice_desk

ERP = ("clerk", "erp_ap_poster", "erp_reader", "erp_gl_poster", "erp_purchaser")
APPLICATIONS = {"erp": ERP, "crm": ("crm_reader",)}
MUTATIONS = (
    "ids", "names", "classes", "test ids", "moved", "wrapped", "duplicated", "removed", "label untied", "all renamed",
    "all renamed and moved", "relabelled",
)  # fmt: skip
APART = {"duplicated", "relabelled"}
TRYTON = (
    ("party", ()), ("party", ("new_contact",)), ("party", ("identifiers_tab", "new_identifier")), ("sale", ()),
    ("sale", ("new_line",)), ("party_list", ()), ("sale_list", ()),
)  # fmt: skip
"""Screens of Tryton, and what is pressed before their page is saved."""
DRAWN_MS = 1500
SAVED = r"""
async () => {
  const twin = document.documentElement.cloneNode(true);
  const sheets = [...document.querySelectorAll("link[rel=stylesheet]")];
  const texts = await Promise.all(sheets.map((sheet) => fetch(sheet.href).then((answer) => answer.text())));
  for (const gone of twin.querySelectorAll("script, link, noscript, base")) gone.remove();
  const style = document.createElement("style");
  style.textContent = texts.join("\n");
  twin.querySelector("head").append(style);
  return `<!doctype html>${twin.outerHTML}`;
}
"""
MARK = "([spec, key]) => { const e = window.__interoffice.element({spec}); if (e) e.__truth = key; return Boolean(e); }"
WHO = "([spec]) => { const e = window.__interoffice.element({spec}); return e ? (e.__truth || 'another') : null; }"
MUTATE = r"""
([kinds, key, seed]) => {
  let state = seed * 2654435761 % 4294967296;
  const random = () => { state = (state * 1664525 + 1013904223) % 4294967296; return state / 4294967296; };
  const word = () => Array.from({length: 7}, () => "bcdfghjklmnpqrstvwz"[Math.floor(random() * 19)]).join("");
  const every = [...document.body.querySelectorAll("*")];
  const target = every.find((one) => one.__truth === key);
  if (!target) return false;
  const box = target.closest("p, tr, .field, li, dd") || target.closest("div, label") || target;
  const rename = (attribute) => {
    for (const one of every) {
      if (!one.hasAttribute(attribute)) continue;
      const old = one.getAttribute(attribute);
      const fresh = word();
      one.setAttribute(attribute, fresh);
      if (attribute !== "id") continue;
      for (const tie of ["for", "aria-labelledby", "aria-controls", "list"]) {
        for (const tied of document.querySelectorAll(`[${tie}="${CSS.escape(old)}"]`)) tied.setAttribute(tie, fresh);
      }
    }
  };
  for (const kind of kinds) {
    if (kind === "ids") rename("id");
    if (kind === "names") rename("name");
    if (kind === "classes") rename("class");
    if (kind === "test ids") rename("data-testid");
    if (kind === "moved") {
      const parent = box.parentElement;
      const others = [...parent.children].filter((one) => one !== box);
      parent.insertBefore(box, others[Math.floor(random() * (others.length + 1))] || null);
    }
    if (kind === "wrapped") {
      for (const depth of [1, 2]) {
        const wrap = document.createElement("div");
        wrap.className = word() + depth;
        target.replaceWith(wrap);
        wrap.append(target);
      }
    }
    if (kind === "duplicated") box.after(box.cloneNode(true));
    if (kind === "removed") target.remove();
    if (kind === "label untied") {
      for (const label of target.labels || []) label.removeAttribute("for");
      for (const name of ["aria-label", "aria-labelledby"]) target.removeAttribute(name);
    }
    if (kind === "relabelled") {
      const labels = [...(target.labels || [])];
      for (const label of labels) {
        for (const node of label.childNodes) {
          if (node.nodeType === 3 && node.data.trim()) node.data = "Kennzeichen " + word();
        }
      }
      if (target.hasAttribute("aria-label")) target.setAttribute("aria-label", "Kennzeichen " + word());
      if (target.matches("button, a")) target.textContent = "Weiter " + word();
    }
  }
  return true;
}
"""
KINDS = {
    "all renamed": ["ids", "names", "classes", "test ids"],
    "all renamed and moved": ["ids", "names", "classes", "test ids", "wrapped", "moved"],
}


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--show", action="store_true", help="every element found wrong")
    parser.add_argument("--json", default="", metavar="FILE")
    parser.add_argument("--tryton", action="store_true", help="Tryton's forms instead of the practice applications'")
    options = parser.parse_args()
    scores: dict[str, dict[str, Counter[str]]] = {way: defaultdict(Counter) for way in ("written", "healing")}
    wrong: list[str] = []
    if options.tryton:
        wrong = tryton_measured(options.seeds, scores)
        return judged(options, scores, wrong)
    with tempfile.TemporaryDirectory() as folder, \
         PracticeOffice.start(Path(folder) / "practice", only=("erp", "crm"), today=TODAY) as office:  # fmt: skip
        browser = Browser()
        with practice_desk(Path(folder), browser, office) as desk:
            for application, credentials in APPLICATIONS.items():
                for way, score in scores.items():
                    wrong += measure(desk, application, credentials, way, options.seeds, score)
        browser.close()
    return judged(options, scores, wrong)


def judged(options: argparse.Namespace, scores: Any, wrong: list[str]) -> int:
    """Prints what was found; 1 where something typed into was found wrong."""
    told = {way: {kind: dict(count) for kind, count in score.items()} for way, score in scores.items()}
    result = {"threshold": THRESHOLD, "margin": MARGIN, "seeds": options.seeds, **told, "totals": totals(scores)}
    print(json.dumps(result, indent=1))
    if options.show:
        print("\n".join(wrong))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 1 if wrong else 0


def tryton_measured(seeds: int, scores: Any) -> list[str]:
    """The saved pages of Tryton's forms, each served as it stood."""
    from tests.support.screens import project_application, screen_desk, served
    from tests.support.tryton.rig import PASSWORD, USER, Tryton

    wrong, pages, seen = [], [], set()
    with tempfile.TemporaryDirectory() as name:
        folder, browser, tryton = Path(name), Browser(), Tryton.open(Path(name) / "tryton")
        clerk = {"clerk": {"user": USER, "password": PASSWORD}}
        desk_of = {"applications": lambda key: project_application("tryton"), "credentials": clerk,
                   "address": lambda said: tryton.address}  # fmt: skip
        with screen_desk(folder, browser, **desk_of) as desk, \
             served(lambda asked: pages[int(asked.path[1:])]) as server:  # fmt: skip
            application = project_application("tryton")
            session = desk.screens._session(application, "clerk")
            for screen_name, presses in TRYTON:
                screen = session.application.screens[screen_name]
                session.open(screen)
                for press in presses:
                    session.web.page.wait_for_timeout(DRAWN_MS)
                    session.press(screen, press)
                session.web.page.wait_for_timeout(DRAWN_MS)
                pages.append(session.web.page.evaluate(SAVED))
                session.web.go(f"{server.address}/{len(pages) - 1}", within_s=10)
                session.screen = screen
                found = [place for place in every_place(session, screen) if place.key not in seen]
                found = usable(session, found)
                seen |= {place.key for place in found}
                print(f"{screen_name} {' '.join(presses)}: {', '.join(place.key for place in found)}", file=sys.stderr)
                for way, score in scores.items():
                    wrong += measured(session, screen, found, way, seeds, score, f"{server.address}/{len(pages) - 1}")
                session.web.go(tryton.address, within_s=30)
                session.settle()
                session.screen = None
        browser.close()
        tryton.close()
    return wrong


def every_place(session: Any, screen: Any) -> list[Any]:
    """The places of a screen, those inside its one-to-many too."""
    names = [
        path
        for name, element in screen.elements.items()
        for path in (name, *(f"{name}.{inner}" for inner in (element.many.elements if element.many else ())))
    ]
    return session.finder.places(screen, names)


def usable(session: Any, places: list[Any]) -> list[Any]:
    """Those that are typed into or pressed and do not commit, and that can be seen."""
    return [place for place in places if place.element.type in TYPES and not place.element.commits
            and not place.frames and session.look([place]).state(place).is_visible]  # fmt: skip


def totals(scores: Any) -> dict[str, Any]:
    """Over all mutations that leave the element: the shares; over those that remove it: how many were handed over."""
    told = {}
    for way, score in scores.items():
        there: Counter[str] = Counter()
        for kind, count in score.items():
            if kind not in APART and kind != "removed":
                there.update(count)
        whole = sum(there.values()) or 1
        told[way] = {
            "trials": whole, "right": round(there["right"] / whole, 4), "handed over": there["handed over"],
            "wrong": there["wrong"], "wrong when duplicated or relabelled": sum(score[kind]["wrong"] for kind in APART),
            "removed and handed over": f"{score['removed']['handed over']} of {sum(score['removed'].values())}",
        }  # fmt: skip
    return told


def opened_screen(desk: Any, opened: Any, screen: Any, credentials: tuple[str, ...]) -> Any:
    """A session in which the screen is open, with the first credential that may; None where none may."""
    for credential in credentials:
        try:
            session = desk.screens._session(opened, credential)
            session.open(screen)
            session.settle()
        except (BotError, KeyError):
            continue
        return session
    return None


def measure(desk: Any, application: str, credentials: tuple[str, ...], way: str, seeds: int, score: Any) -> list[str]:
    """All elements of an application's screens under all mutations; what was found wrong."""
    wrong = []
    opened = desk.screens.applications(application)
    for screen in opened.screens.values():
        is_sign_in = opened.sign_in is not None and screen.name == opened.sign_in.screen
        session = None if is_sign_in else opened_screen(desk, opened, screen, credentials)
        if session is None:
            continue
        places = usable(session, session.finder.places(screen, screen.elements))
        wrong += measured(session, screen, places, way, seeds, score, session.web.page.url)
    return wrong


def measured(
    session: Any, screen: Any, places: list[Any], way: str, seeds: int, score: Any, address: str
) -> list[str]:
    """These places of one page under all mutations; what was found wrong."""
    from interoffice.screens import healing

    wrong = []
    if way == "healing":
        places = [place for place in places if healing.may_heal(session, place)]
    healing.keep_prints(session, places)
    for place in places:
        for kind in MUTATIONS:
            for seed in range(1, seeds + 1):
                outcome = trial(session, screen, place, kind, seed, address, way)
                score[kind][outcome] += 1
                is_wrong = outcome == "wrong" or (kind == "removed" and outcome != "handed over")
                if is_wrong and place.element.type != "button":
                    wrong.append(f"{way}: {session.application.key}.{place.key}, {kind}, seed {seed}")
    return wrong


def trial(session: Any, screen: Any, place: Any, kind: str, seed: int, address: str, way: str) -> str:
    """One mutation: right, wrong or handed over."""
    from interoffice.screens import healing

    session.web.go(address, within_s=10)
    session.settle([place])
    page, spec = session.web.page, place.spec
    before = list(spec["candidates"])
    assert page.evaluate(MARK, [spec, place.key])
    if way == "healing":
        spec["candidates"] = []
    assert page.evaluate(MUTATE, [KINDS.get(kind, [kind]), place.key, seed])
    try:
        found = page.evaluate(WHO, [spec])
        if found is None and healing.heal(session, [place]):
            found = page.evaluate(WHO, [spec])
    finally:
        spec["candidates"] = before
    return "handed over" if found is None else "right" if found == place.key else "wrong"


if __name__ == "__main__":
    sys.exit(main())
