"""A credit-risk library over one DuckDB file; the pages, the API and the command line are its faces."""

import os

# Two active-waiting OpenMP threads on a busy machine make XGBoost five times slower. The policy is read once, when
# the first OpenMP library loads, so it is set before any room can import one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
