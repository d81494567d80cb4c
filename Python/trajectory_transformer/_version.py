"""The version, by itself, so that building reads it without loading the library."""

version = "0.1.0"
