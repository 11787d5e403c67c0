"""Files that appear whole or not at all: `cellgan.atomic`, under the name that this domain knows it by."""

from cellgan.atomic import atomic, check_output, make_folder

__all__ = ["atomic", "check_output", "make_folder"]
