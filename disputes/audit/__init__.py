"""Who did what outside a case's own chain: sign-ins, roles, settings, looks at personal data."""
