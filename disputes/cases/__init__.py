"""A dispute: its parties, facts, money, evidence, status and timeline."""
