"""Puts the engine together with the services, functions and listeners of all capabilities."""
