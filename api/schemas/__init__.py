"""What the API reads and writes, one schema per thing, each field written out."""
