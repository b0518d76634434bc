"""`python -m interoffice.cli`."""

import sys

from interoffice.cli import main

sys.exit(main())
