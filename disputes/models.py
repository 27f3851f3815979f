"""Every table of Hejie, imported in one place for the migrations and the tests.

A capability that has models adds its line here; a guard compares this list with the folders.
"""
