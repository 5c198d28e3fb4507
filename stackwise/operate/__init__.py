"""What is done with a site that stands: looking at it, and getting at its source."""
