"""The database: engine, one writer with group commit, tables, migrations."""
