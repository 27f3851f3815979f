"""The demonstration: ten real tickets and further invented ones, driven by stand-in people over virtual time."""

from disputes.demo.accounts import introduction
from disputes.demo.play import run

__all__ = ["introduction", "run"]
