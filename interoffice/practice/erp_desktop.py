"""The practice ERP's desktop client: a Tk window on the same server and ledger as the web client, with its captions.

    python -m interoffice.practice.erp_desktop http://127.0.0.1:40123

Keys: F6 the first field, F8 the number of the record, F9 how many were found, Ctrl+S enters the document, Alt+S
searches, Alt+N the next page, Ctrl+Shift+C copies the list (tab-separated, captions first), Ctrl+Q signs out;
Ctrl+1, 3, 5 open the form of an order, a supplier invoice, a customer, Ctrl+2, 4, 6 their lists. It waits for the
server as old clients do: while it waits it answers nobody.

Faults that the server tells it: `notice` (a modal window), `stolen_focus` (a window of another kind takes the keys),
`moved_window`. Another resolution is the display's own matter: the fonts follow it.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import sys
import tkinter as tk
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from tkinter import font, ttk
from typing import Any

from interoffice.practice.documents import KINDS, DocumentKind, Field

TITLE = "Practice ERP"
OFFERED = tuple(kind for kind in KINDS.values() if kind.lines is None)
PATIENCE_S = 60.0


class Lost(Exception):
    """The server gave no whole answer: nobody knows what it did."""


class Server:
    """The office's server as this client asks it: forms there, JSON back, one session."""

    def __init__(self, address: str) -> None:
        self._address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def ask(self, path: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The server's answer. Lost when none came."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self._address + path, data=data, headers={"Accept": "application/json"})
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return {"page": "maintenance"}
            raise Lost(f"the server failed ({error.code})") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Lost("the server did not answer") from error


class Client:
    """The window."""

    def __init__(self, address: str) -> None:
        self._server = Server(address)
        self._root = tk.Tk()
        self._root.title(TITLE)
        self._root.geometry("1000x640+40+40")
        for name, points in (("TkDefaultFont", 11), ("TkTextFont", 11), ("TkMenuFont", 11)):
            font.nametofont(name).configure(family="DejaVu Sans", size=points)
        self._root.option_add("*Entry.insertOffTime", 0)
        self._body = tk.Frame(self._root)
        self._inputs: dict[str, Any] = {}
        self._number: tk.Entry | None = None
        self._found: tk.Entry | None = None
        self._grid: ttk.Treeview | None = None
        self._status = tk.Label(self._root, anchor="w", padx=20, pady=6)
        self._user = ""
        self._page = 1
        self._kind: DocumentKind | None = None
        self._answers = 0
        self._status.pack(side="bottom", fill="x")
        self._bind()
        self._sign_in_page({})

    def run(self) -> None:
        """Until the window is closed."""
        self._root.mainloop()

    def _bind(self) -> None:
        root = self._root
        root.bind("<F6>", lambda event: self._focus(next(iter(self._inputs.values()), None)))
        root.bind("<F8>", lambda event: self._focus(self._number))
        root.bind("<F9>", lambda event: self._focus(self._found))
        root.bind("<Control-s>", lambda event: self._enter())
        root.bind("<Alt-s>", lambda event: self._search(1))
        root.bind("<Alt-n>", lambda event: self._search(self._page + 1) if self._has_next else None)
        root.bind("<Control-C>", lambda event: self._copy())
        root.bind("<Control-q>", lambda event: self._sign_out())
        for number, kind in enumerate(OFFERED):
            root.bind(f"<Control-Key-{2 * number + 1}>", partial(self._on_key, self._open_form, kind))
            root.bind(f"<Control-Key-{2 * number + 2}>", partial(self._on_key, self._open_list, kind))

    def _on_key(self, open_it: Callable[[DocumentKind], None], kind: DocumentKind, event: object) -> None:
        open_it(kind)

    def _menu(self) -> None:
        bar = tk.Menu(self._root)
        for kind in OFFERED:
            entry = tk.Menu(bar, tearoff=False)
            entry.add_command(label="New", command=partial(self._open_form, kind))
            entry.add_command(label="List", command=partial(self._open_list, kind))
            bar.add_cascade(label=f"{kind.list_page.caption}...", menu=entry)
        self._root.configure(menu=bar)

    # pages

    def _clear(self, title: str) -> tk.Frame:
        self._body.destroy()
        self._body = tk.Frame(self._root, padx=20, pady=10)
        self._body.pack(fill="both", expand=True)
        self._inputs, self._number, self._found, self._grid, self._kind = {}, None, None, None, None
        self._has_next = False
        self._root.title(f"{TITLE} - {title}" if title else TITLE)
        return self._body

    def _row(
        self, frame: tk.Misc, at: int, caption: str, *, choices: tuple[str, ...] = (), secret: bool = False
    ) -> Any:
        tk.Label(frame, text=caption, anchor="w", width=22).grid(row=at, column=0, sticky="w", pady=9)
        entry: Any = ttk.Combobox(frame, values=choices, width=38) if choices else tk.Entry(
            frame, width=40, show="*" if secret else "", insertofftime=0
        )  # fmt: skip
        entry.grid(row=at, column=1, sticky="w", padx=30)
        return entry

    def _sign_in_page(self, answer: Mapping[str, Any]) -> None:
        frame = self._clear("")
        self._root.configure(menu=tk.Menu(self._root))
        self._user = ""
        if answer.get("ask_code"):
            self._inputs["code"] = self._row(frame, 1, "One-time code", secret=True)
        else:
            self._inputs["user_name"] = self._row(frame, 1, "User name")
            self._inputs["password"] = self._row(frame, 2, "Password", secret=True)
        tk.Button(frame, text="Sign in", command=self._sign_in).grid(row=3, column=0, pady=20, sticky="w")
        for entry in self._inputs.values():
            entry.bind("<Return>", lambda event: self._sign_in())
        self._banner(frame, 4, answer.get("problem", ""))
        self._say("")
        self._focus(next(iter(self._inputs.values())))

    def _sign_in(self) -> None:
        answer = self._ask("/sign-in", self._typed())
        if answer is not None and answer["page"] == "home":
            self._user = answer["user"]
            self._menu()
            self._clear("Home")
            self._say("")
        elif answer is not None:
            self._sign_in_page(answer)

    def _sign_out(self) -> None:
        if self._user and self._ask("/sign-out", {}) is not None:
            self._sign_in_page({})

    def _open_form(self, kind: DocumentKind) -> None:
        if self._user and (answer := self._ask(f"{kind.path}/new")) is not None:
            self._form(kind, answer)

    def _form(self, kind: DocumentKind, answer: Mapping[str, Any]) -> None:
        frame = self._clear(kind.title)
        self._kind = kind
        known = {field.name: field for field in kind.fields if field.kind != "file"}
        fields = [shown for shown in answer["fields"] if shown["name"] in known]
        for at, shown in enumerate(fields):
            choices = known[shown["name"]].choices
            entry = self._inputs[shown["name"]] = self._row(frame, at, shown["caption"], choices=choices)
            entry.insert(0, shown["shows"])
        self._number = self._row(frame, len(fields), kind.number.caption)
        self._number.insert(0, answer.get("number", ""))
        self._number.configure(state="readonly")
        tk.Button(frame, text=kind.commit_caption, command=self._enter).grid(row=20, column=0, pady=20, sticky="w")
        self._banner(frame, 21, answer.get("problem", ""))
        self._focus(next(iter(self._inputs.values())))

    def _enter(self) -> None:
        kind = self._kind
        if kind is None or self._number is None or self._number.get():
            return
        answer = self._ask(f"{kind.path}/new", self._typed())
        if answer is not None:
            self._form(kind, answer)

    def _open_list(self, kind: DocumentKind) -> None:
        if self._user and (answer := self._ask(kind.path)) is not None:
            self._list(kind, answer, {})

    def _list(self, kind: DocumentKind, answer: Mapping[str, Any], typed: Mapping[str, str]) -> None:
        page, frame = kind.list_page, self._clear(kind.list_page.caption)
        self._kind = kind
        for at, field in enumerate(page.search):
            entry = self._inputs[field.name] = self._row(frame, at, field.caption)
            entry.insert(0, typed.get(field.name, ""))
        buttons = tk.Frame(frame)
        buttons.grid(row=10, column=0, columnspan=2, sticky="w", pady=8)
        tk.Button(buttons, text="Search", command=lambda: self._search(1)).pack(side="left")
        self._page, self._has_next = answer["number"], answer["number"] < answer["last"]
        if self._has_next:
            button = tk.Button(buttons, text="Next", command=lambda: self._search(self._page + 1))
            button.pack(side="left", padx=60)
        self._found = self._row(frame, 11, "Found")
        self._found.insert(0, str(answer["found"]))
        self._found.configure(state="readonly")
        self._fill_grid(frame, page.columns, answer["rows"])
        self._focus(next(iter(self._inputs.values())))

    def _fill_grid(self, frame: tk.Misc, columns: tuple[Field, ...], rows: list[Mapping[str, str]]) -> None:
        grid = self._grid = ttk.Treeview(frame, columns=[each.name for each in columns], show="headings", height=14)
        for column in columns:
            grid.heading(column.name, text=f"{column.caption} \u25be", anchor="w")
            grid.column(column.name, width=900 // len(columns))
        for row in rows:
            grid.insert("", "end", values=[row.get(column.name, "") for column in columns])
        grid.grid(row=12, column=0, columnspan=2, pady=6)
        self._rows = [[each.caption for each in columns], *([row.get(c.name, "") for c in columns] for row in rows)]

    def _search(self, number: int) -> None:
        kind = self._kind
        if kind is None or self._grid is None:
            return
        typed = self._typed()
        asked = urllib.parse.urlencode({**typed, "page": str(number)})
        answer = self._ask(f"{kind.path}?{asked}")
        if answer is not None:
            self._list(kind, answer, typed)

    def _copy(self) -> None:
        if self._grid is not None:
            self._root.clipboard_clear()
            self._root.clipboard_append("\n".join("\t".join(row) for row in self._rows))

    # asking

    def _ask(self, path: str, form: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """The answer; None when the page is another one now: signed out, in maintenance, or nobody answered."""
        try:
            answer = self._server.ask(path, form)
        except Lost as lost:
            self._lost(str(lost))
            return None
        self._answers += 1
        if answer["page"] == "maintenance":
            tk.Label(self._clear("Maintenance"), text="The ERP is being maintained").pack(pady=40)
            return None
        if answer["page"] == "sign_in" and not path.startswith("/sign"):
            self._sign_in_page(answer)
            return None
        self._say("")
        self._root.after_idle(self._misbehave, answer.get("faults", {}))
        return answer

    def _lost(self, why: str) -> None:
        """The form as it stands, and over it that nobody knows what became of it."""
        frame = self._clear("Connection lost")
        tk.Label(frame, text="Connection lost", anchor="w").grid(row=0, column=0, sticky="w")
        tk.Label(frame, text=why, anchor="w").grid(row=0, column=1, padx=60)

    def _typed(self) -> dict[str, str]:
        return {name: entry.get() for name, entry in self._inputs.items()}

    def _banner(self, frame: tk.Misc, at: int, problem: str) -> None:
        if problem:
            tk.Label(frame, text="Error", anchor="w", fg="#a00000").grid(row=at, column=0, sticky="w")
            text = tk.Label(frame, text=problem, anchor="w", wraplength=640, justify="left", fg="#a00000")
            text.grid(row=at, column=1, sticky="w", padx=30)

    def _say(self, text: str) -> None:
        for child in self._status.winfo_children():
            child.destroy()
        self._status.configure(text="")
        if self._user:
            tk.Label(self._status, text="Signed in as").pack(side="left")
            tk.Label(self._status, text=self._user).pack(side="left", padx=60)
            tk.Label(self._status, text=f"answer {self._answers}").pack(side="left", padx=60)

    def _focus(self, widget: Any) -> str:
        if widget is not None:
            widget.focus_set()
        return "break"

    # faults

    def _misbehave(self, faults: Mapping[str, Any]) -> None:
        if "notice" in faults:
            self._root.after(faults["notice"]["milliseconds"], self._notice)
        if "stolen_focus" in faults:
            self._root.after(faults["stolen_focus"]["milliseconds"], self._steal)
        if "moved_window" in faults:
            places = ("+200+90", "+40+40", "+120+130")
            self._root.after(faults["moved_window"]["milliseconds"], self._root.geometry, places[self._answers % 3])

    def _notice(self) -> None:
        window = tk.Toplevel(self._root, padx=40, pady=20)
        window.title("Notice")
        window.transient(self._root)
        tk.Label(window, text="The month closes on Friday at noon.").pack(pady=20)
        tk.Button(window, text="Close", command=window.destroy).pack()
        window.bind("<Escape>", lambda event: window.destroy())
        window.geometry("+500+300")
        window.grab_set()
        window.focus_force()

    def _steal(self) -> None:
        window = tk.Toplevel(self._root, class_="Reminder", padx=30, pady=20)
        window.title("Reminder")
        tk.Entry(window).pack()
        window.geometry("+900+600")
        window.focus_force()
        window.after(4000, window.destroy)


def main() -> None:
    """Opens the window for the server whose address is the one argument."""
    if len(sys.argv) != 2:
        raise SystemExit("Usage: python -m interoffice.practice.erp_desktop ADDRESS")
    Client(sys.argv[1]).run()


if __name__ == "__main__":
    main()
