"""The parent of one run. Standard library only and few imports: it has to be up in milliseconds, under any Python."""
