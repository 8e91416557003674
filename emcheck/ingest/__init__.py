"""What comes from base units: the MQTT transport, and a broker of our own where none is at hand."""
