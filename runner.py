#!/usr/bin/env python3
"""The one command of Interoffice: python3 runner.py demo | test | doctor | check | run ...

A wrapper in the manner of gradlew, with nothing but the standard library: it makes .venv beside itself, installs the
locked requirements into it, and hands over to interoffice.cli. In a prepared environment it hands over at once. This
file keeps to syntax that old Pythons can read, so that they can say in one sentence what is wrong.
"""

import os
import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Interoffice needs Python 3.11 or newer, and this is Python %d.%d: start it with a newer one, "
        "for example python3.12 runner.py" % sys.version_info[:2]
    )

if __name__ == "__main__":
    from interoffice.setup.handover import start

    sys.exit(start(os.path.dirname(os.path.abspath(__file__)), sys.argv[1:]))
