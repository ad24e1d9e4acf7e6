"""Room 3: what the product does. Plain Python: no Flask, no HTTP."""
