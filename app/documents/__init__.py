"""Documents: what typst makes of data and templates of ours."""
