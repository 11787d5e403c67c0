"""The command line of cellgan."""
