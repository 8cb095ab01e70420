"""Named questions: an .sql file each, with typed parameters, and the one runner that bounds them."""
