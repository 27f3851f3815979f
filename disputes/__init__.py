"""The business: a folder per capability, layered; the stages of a case meet in a diagram, never in an import."""
