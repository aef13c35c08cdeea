"""The store: every reply, execution and vote in a SQL database."""
