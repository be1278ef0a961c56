"""The Manager's HTTP face: native `/v1`, vendor-shaped `/apiops/`, health and metrics."""
