"""What the pages and the command line both do, from media to results."""
