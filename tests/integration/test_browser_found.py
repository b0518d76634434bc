"""The browser ladder, with the browser this machine really has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from interoffice.errors import ProjectError
from interoffice.resources import browser_found
from interoffice.resources.browser_found import (
    BrowserFound,
    find_browser,
    has_fonts,
    launch_options,
    memory_file,
    read_memory,
)

NONE_OF_THEM = ["Playwright's own Chromium", "Google Chrome", "Microsoft Edge"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("INTEROFFICE_BROWSER", raising=False)


@pytest.fixture(scope="module")
def executable() -> str:
    """A browser file of this machine."""
    found = next((path for command in browser_found.COMMANDS if (path := shutil.which(command))), None)
    if found is None:
        pytest.skip("no browser on the PATH of this machine")
    return found


def test_the_first_look_says_every_attempt_and_the_second_only_remembers() -> None:
    said: list[str] = []
    first = find_browser(install=False, say=said.append)
    assert said[-1].endswith("starts")
    assert said[0].startswith("browser: Playwright's own Chromium: ")
    content = json.loads(memory_file().read_text())
    assert set(content) == {"found", "holds_for"}
    again: list[str] = []
    assert find_browser(install=False, say=again.append) == first
    assert again == []


def test_a_setting_never_falls_through(executable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEROFFICE_BROWSER", "/opt/nowhere/chromium")
    said: list[str] = []
    with pytest.raises(ProjectError, match="INTEROFFICE_BROWSER names, /opt/nowhere/chromium, does not start"):
        find_browser(install=True, say=said.append)
    assert said == ["browser: INTEROFFICE_BROWSER=/opt/nowhere/chromium: not installed"]
    monkeypatch.setenv("INTEROFFICE_BROWSER", os.path.basename(executable))
    assert find_browser(install=False, say=said.append).executable == executable


def test_what_is_no_browser_is_passed_over_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "path"
    folder.mkdir()
    for name, script in (("chromium", "#!/bin/sh\nexit 3\n"), ("google-chrome", "no program")):
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    said: list[str] = []
    with pytest.raises(ProjectError, match="No browser was found on this machine that starts"):
        find_browser(install=False, say=said.append)
    assert f"browser: {folder}/chromium: does not start" in said[-2]
    assert f"browser: {folder}/google-chrome: " in said[-1]
    assert not memory_file().exists()


def test_the_memory_ends_when_the_file_changes_or_goes(
    executable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "my-browser"
    link.write_text(f'#!/bin/sh\nexec "{executable}" "$@"\n')
    link.chmod(0o755)
    monkeypatch.setenv("INTEROFFICE_BROWSER", str(link))
    said: list[str] = []
    assert find_browser(install=False, say=said.append).executable == str(link)
    assert len(said) == 1
    os.utime(link, ns=(1, 1))
    find_browser(install=False, say=said.append)
    assert len(said) == 2
    link.unlink()
    with pytest.raises(ProjectError):
        find_browser(install=False, say=said.append)


@pytest.mark.parametrize("content", ["", "[]", "null", '{"found": {}}', '{"found": 1, "holds_for": {"file": []}}'])
def test_a_damaged_memory_is_no_memory(content: str) -> None:
    memory_file().parent.mkdir(parents=True)
    memory_file().write_text(content)
    assert read_memory() is None


def test_it_can_be_asked_inside_an_event_loop() -> None:
    import asyncio

    async def ask() -> BrowserFound:
        return find_browser(install=False, say=lambda text: None)

    assert asyncio.run(ask()).how


def test_launch_options_start_it_and_letters_have_a_width() -> None:
    from playwright.sync_api import sync_playwright

    found = find_browser(install=False, say=lambda text: None)
    assert has_fonts()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(found))
        page = browser.new_page()
        page.set_content("<span id=a>Angebot, angenommen</span>")
        assert page.locator("#a").evaluate("node => node.offsetWidth") > 50
        browser.close()


def test_no_other_option_than_what_was_found() -> None:
    own = launch_options(BrowserFound(executable=None, channel=None, how=""))
    assert "executable_path" not in own and "channel" not in own and own["headless"] is True
    assert launch_options(BrowserFound(executable=None, channel="chrome", how=""))["channel"] == "chrome"
    assert not [word for word in own["args"] if word.startswith("--disable-features")]


@pytest.mark.slow
def test_a_started_browser_asks_nobody_for_anything(tmp_path: Path) -> None:
    """All its connections and name look-ups stay on this machine, also some seconds after the start."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    find_browser(install=False, say=lambda text: None)
    trace = tmp_path / "trace"
    code = (
        "from interoffice.resources.browser_found import find_browser, launch_options\n"
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright:\n"
        "    found = find_browser(install=False, say=print)\n"
        "    browser = playwright.chromium.launch(**launch_options(found))\n"
        "    page = browser.new_page()\n"
        "    page.set_content('<form><input name=user><input type=password name=p></form>')\n"
        "    page.fill('[name=p]', 'x')\n"
        "    page.wait_for_timeout(8000)\n"
        "    browser.close()\n"
    )
    subprocess.run(
        [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=connect,sendto,sendmsg,sendmmsg",
            "-o",
            str(trace),
            sys.executable,
            "-c",
            code,
        ],
        check=True,
        timeout=120,
    )
    # Chromium connects a UDP socket to this address to learn whether there is a route for IPv6: it sends nothing.
    harmless = ('"127.0.0.1"', '"::1"', "htons(0)", '"2001:4860:4860::8888"')
    lines = trace.read_text(errors="replace").splitlines()
    connections = [line for line in lines if "connect(" in line and "sa_family=AF_INET" in line]
    assert connections, "nothing was traced"
    assert [line for line in connections if not any(word in line for word in harmless)] == []
