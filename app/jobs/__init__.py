"""Background work: thin loops over actions. Tables are its only bridge to requests."""
