"""REST: one table of routes, three dialects, one description."""
