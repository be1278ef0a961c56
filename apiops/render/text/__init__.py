"""Text for people at a terminal: one module per family of values, each giving a `Page`."""
