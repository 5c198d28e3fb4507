"""Real providers, each behind the seam of `provision.cloud`: the adapters, and what they have in common.

`account` finds the credentials, `line` asks libcloud's drivers with patience, `faults` puts what they raise into our
errors, and one module a provider says what is peculiar to it.
"""
