"""COCO datasets: found, read without belief, and given the labels and the data.yaml that trainers read."""
