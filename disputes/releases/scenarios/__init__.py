"""Given–when–then tests of diagrams, over a virtual clock and the real calendar (docs/guides/scenarios.md)."""
