"""Pairs, timed in turns: what we do beside what it is measured against. `make bench`, `python -m tests.bench NAME`."""
