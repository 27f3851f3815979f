"""What everything stands on and what stands on nothing of ours: database, moments, settings, refusals."""
