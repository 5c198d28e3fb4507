"""Providers' APIs on loopback: they answer as the real ones document it, and what is made there can really boot."""
