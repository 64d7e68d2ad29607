"""Pure decisions: no framework, no database, no clock of their own."""
