"""What the CSMS does, whoever asks. Services never send to a station."""
