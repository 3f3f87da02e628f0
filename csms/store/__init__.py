"""SQLite: the only package with SQL. One module per table family."""
