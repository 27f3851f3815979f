"""Every word that a page says goes through here: Chinese in the source, other languages in the catalogues."""

from flask_babel import gettext, ngettext


def _(text: str, **values: object) -> str:
    """The text in the reader's language; ``%(name)s`` is filled in."""
    return str(gettext(text, **values))


def plural(one: str, many: str, number: int) -> str:
    """One of two texts by the number, which stands in them as ``%(num)s``."""
    return str(ngettext(one, many, number))
