#!/bin/sh
# Makes the example data anew: the same values every time.
cellgan simulate "$(dirname "$0")" --cells 4000 --markers 20 --seed 0 --overwrite
