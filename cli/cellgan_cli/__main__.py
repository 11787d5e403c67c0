"""Lets ``python -m cellgan_cli`` do what ``cellgan`` does."""

from cellgan_cli.main import main

main()
