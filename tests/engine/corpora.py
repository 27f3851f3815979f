"""Where the foreign diagrams lie, beside the checkout."""

import os
from pathlib import Path

import pytest

CORPORA = Path(os.environ.get("HEJIE_SHARED") or Path(__file__).parents[2].parent / "shared") / "data" / "corpora"
needs_corpora = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the foreign diagrams are not beside the checkout (set HEJIE_SHARED)"
)
