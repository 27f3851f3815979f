"""Settlement between consumer and merchant before or instead of mediation."""
