"""The Live page's parts: the stream, its connection in words, figures, keeping and recording."""
