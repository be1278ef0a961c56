"""What there is to say about each value, in phrases; how it is laid out is the formats' part."""
