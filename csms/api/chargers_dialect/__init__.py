"""The chargers dialect, `/ocpp/…`: locations, chargers, and their durable bulk create."""
