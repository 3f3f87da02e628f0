"""`python -m bench` is `python -m bench.report`."""

import sys

from bench.report import main

if __name__ == "__main__":
    sys.exit(main())
