"""Adapters: one module a model family, one framework a module."""
