"""Tasks as people see them: claim, unclaim, reassign, answer."""
