"""Annotated sets in and out: who is where in a picture, as people have marked it."""
