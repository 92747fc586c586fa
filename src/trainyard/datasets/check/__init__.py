"""The look at each picture and label of a dataset, in a process of its own."""
