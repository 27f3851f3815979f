"""FEEL and DMN: the language of conditions and decisions. It knows no diagrams."""
