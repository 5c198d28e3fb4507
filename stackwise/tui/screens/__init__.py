"""The screens of the walk, each with its style sheet beside it."""
