"""The Image page: pictures, and sets of them, through several models."""
