"""What maintainers run and the product itself never does: making committed files anew."""
