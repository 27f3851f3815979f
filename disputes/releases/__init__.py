"""Releases of the procedure: the catalogue, checks, deployment, scenarios."""
