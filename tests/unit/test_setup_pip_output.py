"""pip's output is read as progress, and its failures become one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest

from interoffice.setup.pip_output import Phase, explain_pip, read_pip_line

LINES = [
    "Looking in indexes: https://index.example.com/simple",
    "Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment",
    "Collecting aiosmtpd==1.4.6 (from -r all.txt (line 1))",
    "  Downloading aiosmtpd-1.4.6-py3-none-any.whl (154 kB)",
    "Processing /var/wheels/annotated_types-0.8.0-py3-none-any.whl (from -r all.txt (line 7))",
    "Requirement already satisfied: wheel==0.48.0 in ./lib (from -r build.txt (line 7))",
    "  Building wheel for pyautogui (pyproject.toml): started",
    "Installing collected packages: aiosmtpd, annotated-types, pyautogui",
]


def test_progress_names_each_package_as_it_is_fetched_and_counts_what_is_installed() -> None:
    phase = Phase()
    news = []
    for line in LINES:
        phase = read_pip_line(line, phase)
        news.append(phase.news)
    assert news == [
        "",
        "",
        "1 fetched, aiosmtpd 1.4.6",
        "1 fetched, aiosmtpd (154 kB)",
        "2 fetched, annotated_types 0.8.0",
        "3 fetched, wheel 0.48.0",
        "building pyautogui",
        "installing 3 packages",
    ]
    assert phase.to_install == 3


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package "
            "versions, please update the hashes.\n    cronsim==2.8 from file:///w/cronsim-2.8.whl (from -r all.txt):\n"
            "        Expected sha256 aa\n             Got        bb\n",
            "cronsim is not the package that was locked",
        ),
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError: Failed to establish a "
            "new connection: [Errno -3] Temporary failure in name resolution'\n"
            "ERROR: Could not find a version that satisfies the requirement six==1.17.0 (from versions: none)\n"
            "ERROR: No matching distribution found for six==1.17.0",
            "the package index can't be reached",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "PIP_CERT"),
        ("ERROR: No matching distribution found for pyarrow==26.0.1", "has no pyarrow==26.0.1 for this system"),
        (
            "ERROR: Could not find a version that satisfies the requirement six==1 (from versions: none)\n"
            "ERROR: No matching distribution found for six==1",
            "has no six==1, or can't be reached",
        ),
        ("  ERROR: Failed building wheel for mouseinfo", "mouseinfo could not be built"),
        ("ERROR: something nobody foresaw.", "pip says: something nobody foresaw"),
        ("Traceback (most recent call last):\n  File x\nKeyError: 'unforeseen'\n", "pip says: KeyError: 'unforeseen'"),
        ("", "exit code 1 without a reason"),
    ],
)
def test_a_failure_is_one_sentence_with_its_cause_and_the_place_of_the_log(
    output: str, words: str, tmp_path: Path
) -> None:
    log = str(tmp_path / "setup.log")
    sentence = explain_pip(output, 1, "Installing requirements/all.txt", log)
    assert words in sentence
    assert sentence.startswith("Installing requirements/all.txt failed: ")
    assert sentence.endswith(log)
    assert "\n" not in sentence


def test_a_pip_that_was_killed_is_said_to_have_been_killed(tmp_path: Path) -> None:
    assert "ended by signal 9" in explain_pip("Collecting six", -9, "Installing", str(tmp_path / "setup.log"))
