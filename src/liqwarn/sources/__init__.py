"""What talks to providers: their files as they are published, checked and kept whole."""
