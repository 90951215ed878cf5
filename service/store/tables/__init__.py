"""The tables, by subject. Every row belongs to a tenant, and a foreign key never leaves it."""
