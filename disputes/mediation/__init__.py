"""Mediation of an accepted complaint, its agreement or termination."""
