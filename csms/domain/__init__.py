"""What things are and what is allowed: plain values, no I/O, no OCPP payloads."""
