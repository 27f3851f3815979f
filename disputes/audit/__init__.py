"""Who did what and who looked at whose data: append-only, hash-chained, verifiable after an erasure."""
