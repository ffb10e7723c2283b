"""Live video through several models: frames in; mosaics, figures and recordings out."""
