"""The sample dataset: 50 pictures of cats and dogs, drawn here, so that it costs no download and is nobody's work."""
