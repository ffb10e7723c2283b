"""What the Video page is made of."""
