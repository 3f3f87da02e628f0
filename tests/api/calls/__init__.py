"""Generated calls to every operation of the description, against a real server."""
