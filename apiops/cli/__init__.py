"""The command line: one module per verb, each a few lines over wiring and render."""
