"""The durable job engine: every item's intent and result is a row before it counts."""
