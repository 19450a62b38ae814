"""What is wrong with a set of images: findings, each with its evidence and what to do."""
