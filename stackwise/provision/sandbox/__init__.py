"""A local machine that behaves as a VPS: what `hosting.provider: sandbox` means. `driver` is the way in."""
