"""The object store, whichever S3-compatible server it is."""
