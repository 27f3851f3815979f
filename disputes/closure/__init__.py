"""Closing, return visit, rating, rectification, archive."""
