"""The office door: counts of one campaign for the staff of one member, and nothing about any person."""
