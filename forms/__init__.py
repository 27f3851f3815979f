"""What people fill in: form-js JSON, compiled to fields, a schema and HTML."""
