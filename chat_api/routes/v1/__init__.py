"""OpenAI's protocol. Errors have OpenAI's four keys (`web.errors`)."""
