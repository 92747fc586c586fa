"""One append-only log of everything that happened, and the stream that browsers and the CLI follow."""
