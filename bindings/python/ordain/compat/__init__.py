"""Interfaces of other engines, over Ordain."""
