"""The blueprint on which every page stands."""

from flask import Blueprint

pages = Blueprint("pages", __name__)
