"""Room 4: who answers. Speaks a provider's language and maps its errors to ours."""
