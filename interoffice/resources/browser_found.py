"""Which browser this machine has: the ladder of setup, each rung tried by launching it, the winner remembered.

The setting INTEROFFICE_BROWSER (never falls through) > Playwright's own > Chrome, Edge > the PATH, and only where
installing is allowed: `playwright install chromium` > apt-get as root.
"""

from __future__ import annotations

import ctypes.util
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from interoffice.errors import ProjectError
from interoffice.resources.system_packages import by_hand, has_apt, install_packages, may_install

SETTING = "INTEROFFICE_BROWSER"
CHANNELS = {"chrome": "Google Chrome", "msedge": "Microsoft Edge"}
COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "brave-browser",
    "chromium-headless-shell",
)
DRIVER_LIBRARIES = {"libatomic.so.1": "libatomic1", "libstdc++.so.6": "libstdc++6"}
FONT_PACKAGES = ("fonts-dejavu-core", "fonts-liberation")
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
FONT_ENDINGS = (".ttf", ".otf", ".ttc", ".pfb")
DOWNLOAD_WITHIN_S = 900
LAUNCH_WITHIN_S = 30

QUIET = (
    # No request of the browser's own: an office network is often closed, and each would wait for its time-out.
    # --disable-features is Playwright's: a second one would replace it.
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    # Not stopped by the switches above: the update check and the question who is signed in to Google (Chromium 156),
    # and the check-in for push messages, for which Chromium 150 looks up android.clients.google.com.
    # Only the browser's own requests are sent nowhere; a page may still open these addresses.
    "--component-updater=url-source=http://127.0.0.1:9/",
    "--gaia-url=http://127.0.0.1:9",
    "--gcm-checkin-url=http://127.0.0.1:9/",
    "--gcm-registration-url=http://127.0.0.1:9/",
    "--gcm-mcs-endpoint=127.0.0.1:9",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BrowserFound:
    """A browser that was launched on this machine. Neither executable nor channel: Playwright's own."""

    executable: str | None
    channel: str | None
    how: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A browser that may be there; `name` is what a person is told."""

    name: str
    executable: str | None = None
    channel: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What launching a candidate gave: `version` and the file behind it, or in `failed` why not."""

    version: str = ""
    executable: str = ""
    failed: str = ""


def find_browser(*, install: bool, say: Callable[[str], None]) -> BrowserFound:
    """The browser to work with; every attempt is said. Without `install` nothing is downloaded or installed.

    ProjectError: none starts, in one sentence with the line that fixes it.
    """
    remembered = read_memory()
    if remembered is not None:
        return remembered
    found = climb(install=install, say=say)
    if install and not has_fonts():
        provide_fonts(say)
    return found


def launch_options(found: BrowserFound) -> dict[str, Any]:
    """The keyword arguments of Playwright's `chromium.launch` for it: headless, and silent on a closed network.

    The sandbox is left as Playwright has it (off), which is also what works for root.
    """
    options: dict[str, Any] = {"headless": True, "args": list(QUIET)}
    if found.executable is not None:
        options["executable_path"] = found.executable
    if found.channel is not None:
        options["channel"] = found.channel
    return options


def climb(*, install: bool, say: Callable[[str], None]) -> BrowserFound:
    """The first rung that holds."""
    provide_driver(install=install, say=say)
    setting = os.environ.get(SETTING, "").strip()
    if setting:
        found = first_that_starts([chosen(setting)], say)
        if found is None:
            raise ProjectError(
                f"The browser that {SETTING} names, {setting}, does not start: correct it or unset {SETTING}."
            )
        return found
    found = first_that_starts(installed(), say)
    if found is None and install:
        found = download(say) or install_by_apt(say)
    if found is None:
        raise ProjectError(f"No browser was found on this machine that starts: {advice(install)}.")
    return found


def provide_driver(*, install: bool, say: Callable[[str], None]) -> None:
    """Playwright's own driver needs one library that a bare Debian lacks. ProjectError: it can't start."""
    lacking = driver_lacks()
    if not lacking:
        return
    package = DRIVER_LIBRARIES.get(lacking, lacking)
    say(f"browser: Playwright's driver does not start, the system library {lacking} is missing")
    if install and may_install():
        install_packages([package], lambda text: say(f"browser: {text}"))
        lacking = driver_lacks()
    if lacking:
        mend = f"run `{by_hand([package])}`" if has_apt() else f"install the system library {lacking}"
        raise ProjectError(f"No browser can be driven here, the system library {lacking} is missing: {mend}.")


def driver_lacks() -> str:
    """The system library that keeps Playwright's driver from starting; empty when it starts."""
    spec = importlib.util.find_spec("playwright")
    folders = spec.submodule_search_locations if spec is not None else None
    node = Path(folders[0], "driver", "node") if folders else None
    if node is None or not node.exists():
        return ""
    said = subprocess.run([str(node), "--version"], capture_output=True, text=True, errors="replace").stderr
    found = re.search(r"error while loading shared libraries: ([^:]+):", said)
    return found[1] if found else ""


def advice(install: bool) -> str:
    """The one line that brings a browser."""
    if has_apt():
        return f"run `{by_hand(['chromium', *FONT_PACKAGES])}`"
    if install:
        return f"install Chrome, Chromium or Edge, or name one in {SETTING}"
    return f"install Chrome, Chromium or Edge, or run `{Path(sys.executable).name} -m playwright install chromium`"


def chosen(setting: str) -> Candidate:
    """What a person set: a channel's word, a command on the PATH, or a file."""
    if setting in CHANNELS:
        return Candidate(name=f"{SETTING}={setting}", channel=setting)
    return Candidate(name=f"{SETTING}={setting}", executable=shutil.which(setting) or setting)


def installed() -> list[Candidate]:
    """What may be there already, in the ladder's order."""
    on_path = dict.fromkeys(path for command in COMMANDS if (path := shutil.which(command)))
    return [
        Candidate(name="Playwright's own Chromium"),
        *(Candidate(name=name, channel=channel) for channel, name in CHANNELS.items()),
        *(Candidate(name=path, executable=path) for path in on_path),
    ]


def first_that_starts(candidates: Sequence[Candidate], say: Callable[[str], None]) -> BrowserFound | None:
    """The first candidate that launches; it is remembered."""
    for candidate, attempt in zip(candidates, launch_each(candidates), strict=False):
        if attempt.failed:
            say(f"browser: {candidate.name}: {attempt.failed}")
            continue
        say(f"browser: {candidate.name}: version {attempt.version} starts")
        found = BrowserFound(executable=candidate.executable, channel=candidate.channel, how=candidate.name)
        remember(found, attempt.executable)
        return found
    return None


def launch_each(candidates: Sequence[Candidate]) -> Iterator[Attempt]:
    """Launch one after another in a process of its own: a browser that hangs or crashes ends there, and a caller that
    has an event loop is not disturbed."""
    root = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.append({root!r}); from {__name__} import probe; probe(sys.stdin.read())"
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps([asdict(candidate) for candidate in candidates]))
        process.stdin.close()
        try:
            for line in process.stdout:
                yield Attempt(**json.loads(line))
            if process.wait() != 0:
                complaints.seek(0)
                last = complaints.read().decode(errors="replace").strip().rpartition("\n")[2]
                yield Attempt(failed=f"the process that launches it ended with {process.returncode} ({last})")
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Let it close its browser, and kill it where it does not."""
    try:
        process.wait(timeout=LAUNCH_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


def probe(question: str) -> None:
    """The launching process: candidates as JSON in, one line of JSON for each out, until one starts."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        for candidate in json.loads(question):
            found = BrowserFound(executable=candidate["executable"], channel=candidate["channel"], how="")
            executable = found.executable or channel_file(found.channel) or playwright.chromium.executable_path
            try:
                browser = playwright.chromium.launch(**launch_options(found), timeout=LAUNCH_WITHIN_S * 1000)
                browser.new_page().close()
                attempt = Attempt(version=browser.version, executable=executable)
                browser.close()
            except Error as error:
                attempt = Attempt(failed=in_plain_words(str(error)))
            print(json.dumps(asdict(attempt)), flush=True)
            if not attempt.failed:
                return


def in_plain_words(error: str) -> str:
    """Why Playwright could not launch it, in a few words."""
    if "xecutable doesn't exist" in error or "is not found at" in error or "ENOENT" in error:
        return "not installed"
    if "EACCES" in error:
        return "may not be started"
    if "error while loading shared libraries" in error:
        library = error.split("error while loading shared libraries:", 1)[1].split(":", 1)[0].strip()
        return f"does not start, the system library {library} is missing"
    if "missing dependencies" in error:
        return "does not start, system libraries are missing"
    if "Timeout" in error:
        return f"did not start within {LAUNCH_WITHIN_S} s"
    return f"does not start ({error.splitlines()[0]})"


def channel_file(channel: str | None) -> str | None:
    """Where Playwright expects a channel's browser; None where no such file is there."""
    programs = [os.environ.get(name, "") for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
    places = {
        "chrome": [
            "/opt/google/chrome/chrome",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            *(os.path.join(folder, "Google", "Chrome", "Application", "chrome.exe") for folder in programs if folder),
        ],
        "msedge": [
            "/opt/microsoft/msedge/msedge",
            "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
            *(os.path.join(folder, "Microsoft", "Edge", "Application", "msedge.exe") for folder in programs if folder),
        ],
    }
    return next((place for place in places.get(channel or "", []) if os.path.exists(place)), None)


def download(say: Callable[[str], None]) -> BrowserFound | None:
    """Playwright's own Chromium, downloaded; None where it can't be had or does not start."""
    if sys.platform.startswith("linux") and ctypes.util.find_library("nss3") is None:
        say("browser: playwright install chromium: left out, it could not start without the system library libnss3")
        return None
    say("browser: playwright install chromium (about 170 MB)")
    environment = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "30000", **os.environ}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_WITHIN_S,
        )
    except subprocess.TimeoutExpired:
        say(f"browser: playwright install chromium: no end after {DOWNLOAD_WITHIN_S // 60} minutes")
        return None
    if ended.returncode != 0:
        said = [line for line in ended.stdout.splitlines() if "Error" in line or "ailed" in line]
        say(f"browser: playwright install chromium: failed ({said[0].strip() if said else 'without a reason'})")
        return None
    return first_that_starts([Candidate(name="Playwright's own Chromium")], say)


def install_by_apt(say: Callable[[str], None]) -> BrowserFound | None:
    """Debian's chromium, installed as root; None where that is not possible."""
    if not may_install():
        say("browser: apt-get: only root may install" if has_apt() else "browser: apt-get: not on this system")
        return None
    install_packages(["chromium", *FONT_PACKAGES], lambda text: say(f"browser: {text} (about 100 MB)"))
    return first_that_starts([candidate for candidate in installed() if candidate.executable], say)


def has_fonts() -> bool:
    """Whether a Linux machine has any font: without one a browser shows boxes, or nothing. True elsewhere."""
    if not sys.platform.startswith("linux"):
        return True
    folders = (os.path.expanduser(folder) for folder in FONT_FOLDERS)
    files = (name for folder in folders for _, _, names in os.walk(folder) for name in names)
    return any(name.lower().endswith(FONT_ENDINGS) for name in files)


def provide_fonts(say: Callable[[str], None]) -> None:
    """Install fonts as root, else say how."""
    if may_install():
        install_packages(FONT_PACKAGES, lambda text: say(f"browser: no fonts are there; {text}"))
    else:
        say(f"browser: no fonts are there, so pages will show boxes for letters: {by_hand(FONT_PACKAGES)}")


def memory_file() -> Path:
    """Where the winner is remembered: the user's own cache folder."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", str(Path.home()))
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "interoffice" / "browser.json"


def circumstances(executable: str) -> dict[str, object]:
    """What the memory holds for: the setting, Playwright's version, and the file as it is now. OSError: it is gone."""
    file = os.stat(executable)
    return {
        "setting": os.environ.get(SETTING, "").strip(),
        "playwright": importlib.metadata.version("playwright"),
        "file": [executable, file.st_size, file.st_mtime_ns],
    }


def remember(found: BrowserFound, executable: str) -> None:
    """Keep the winner for the next start; where that can't be written, the next start looks again."""
    try:
        content = {"found": asdict(found), "holds_for": circumstances(existing(executable))}
        target = memory_file()
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f"{target.name}.{os.getpid()}")
        new.write_text(json.dumps(content), encoding="utf-8")
        new.replace(target)
    except OSError:
        return


def existing(path: str) -> str:
    """The file, or where Playwright installed only its headless shell, the nearest folder that is there."""
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    return str(place)


def read_memory() -> BrowserFound | None:
    """The winner of an earlier start, unless its file, the setting or Playwright has changed since."""
    try:
        content: Mapping[str, Any] = json.loads(memory_file().read_text(encoding="utf-8"))
        if circumstances(content["holds_for"]["file"][0]) != content["holds_for"]:
            return None
        return BrowserFound(**content["found"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
