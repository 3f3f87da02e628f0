"""The command line: one file per noun; server modules are imported inside the commands."""
