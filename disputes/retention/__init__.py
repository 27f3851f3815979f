"""Retention: how long personal data is kept, and its erasure in a way that leaves figures and chains intact."""
