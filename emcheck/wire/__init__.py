"""The wire contract (docs/protocol.md): topics, envelope codec, sequence tracking. Pure."""
