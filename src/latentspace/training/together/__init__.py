"""One training by several processes, on this machine or on a cluster: each batch is divided between them."""
