"""What one request costs, layer by layer."""
