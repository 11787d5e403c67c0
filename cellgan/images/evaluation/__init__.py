"""How good are generated data? One family of figures a file; none needs a download."""
