"""Room 5: what is remembered. SQLAlchemy Core on SQLite or PostgreSQL; no ORM, no Flask."""
