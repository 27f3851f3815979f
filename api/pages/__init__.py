"""The pages that people use: Jinja templates, small view models, and views of a few lines each."""

from flask import Flask


def init_pages(app: Flask) -> None:
    """Register every page."""
    from api.pages import (
        cases,
        claims,
        deadlines,
        diagrams,
        exits,
        filing,
        home,
        inbox,
        releases,
        repairing,
        shell,
        signing_in,
        tasks,
        tracking,
    )
    from api.pages.blueprint import pages

    shell.init_shell(app)
    for module in (
        cases,
        claims,
        deadlines,
        diagrams,
        exits,
        filing,
        home,
        inbox,
        releases,
        repairing,
        signing_in,
        tasks,
        tracking,
    ):
        assert module.pages is pages
    app.register_blueprint(pages)
