"""Runs diagrams correctly. It knows no law, no people and no HTTP."""
