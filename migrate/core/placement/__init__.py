"""Which machines tasks could be placed on, and how many of them fit."""
