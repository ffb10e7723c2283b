"""What on this machine keeps the product from running, and how to repair it."""
