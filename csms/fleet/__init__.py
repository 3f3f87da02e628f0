"""Virtual charging stations: behaviour, physics, faults, and a catalog of brands and models."""
