"""People, the roles that they hold in organisations, and one page of permissions."""
