"""The edge: the Flask service, the commands and the worker."""
