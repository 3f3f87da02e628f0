"""The commands dialect, `/api/v3/…`: chargers, and durable bulk commands over them."""
