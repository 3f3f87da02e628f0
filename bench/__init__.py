"""csms measured against a naive central system; `python -m bench.report` runs all of it."""
