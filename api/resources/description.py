"""The description of the API, for programs and, as a page, for people."""

from flask import Blueprint, Response, current_app, jsonify, render_template

from api.edge import needs
from api.resources.blueprint import PREFIX, DescribedApi

description = Blueprint("description", __name__, url_prefix=PREFIX)


@description.get("/openapi.json")
@needs("service.read")
def openapi() -> Response:
    """OpenAPI 3.1."""
    return jsonify(_api().spec.to_dict())


@description.get("/")
@needs("service.read")
def page() -> str:
    """The description as a page on which one can try every operation."""
    return render_template("api.html")


def _api() -> DescribedApi:
    api: DescribedApi = current_app.extensions["hejie-api"]
    return api
