"""`python -m estimators`: the engine of the pages without a browser."""

import sys

from estimators.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
