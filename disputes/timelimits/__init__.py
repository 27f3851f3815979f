"""The time limits of law and service: calendar, arithmetic, running deadlines with their explanation."""
