"""Where the compatibility kit lies, when it is there."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KIT = Path(os.environ.get("HEJIE_SHARED") or ROOT.parent / "shared") / "data" / "dmn-tck"
MISSING = "the DMN compatibility kit is not beside the checkout (set HEJIE_SHARED)"
