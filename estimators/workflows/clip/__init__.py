"""One clip through several models: frames in; numbers, files and annotated videos out."""
