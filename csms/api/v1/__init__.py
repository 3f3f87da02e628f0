"""The native API: one module per resource, OCPP 2.x words."""
