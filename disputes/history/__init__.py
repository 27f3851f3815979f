"""The history of cases: what happened across cases, as an event log for mining, and against the diagrams."""
