"""Numbered papers as PDF, from templates, with a digest."""
