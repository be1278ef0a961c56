"""Settings become objects here; the only floor that knows every adapter."""
