"""The link to the court: hand-over packages, receipts, judicial confirmation."""
