"""What the commands of `cli.py` do: the operator's terminal, as `routes/` is the callers' HTTP."""
