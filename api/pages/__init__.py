"""The pages that people use."""

from flask import Flask


def init_pages(app: Flask) -> None:
    """Register every page."""
