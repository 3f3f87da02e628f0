"""OCPP-J: frames, sessions, schemas, the endpoint, and one file per action and command."""
