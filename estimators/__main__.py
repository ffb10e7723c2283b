"""`python -m estimators`: the engine of the pages without a browser."""

import logging
import sys
import warnings

from estimators.cli.main import main

if __name__ == "__main__":
    # What libraries say to their developers, with paths of this machine, is no news to a person.
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    sys.exit(main())
