"""Ed25519 signatures."""
