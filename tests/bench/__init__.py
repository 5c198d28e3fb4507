"""Pairs, timed in turns: what we do beside what it is measured against. `make bench` runs them all."""
