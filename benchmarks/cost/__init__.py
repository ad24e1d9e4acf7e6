"""What one request costs, without a clock: counted calls and instructions, the same each time."""
