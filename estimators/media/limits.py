"""How large a picture may be: the bounds that keep one upload from taking the memory of all."""

MAX_PICTURE_BYTES = 100_000_000
# The largest common phone cameras give 50 megapixels; three bytes each make 192 MB at this bound.
MAX_PICTURE_PIXELS = 64_000_000
