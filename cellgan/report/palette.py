"""Colours of figures: four roles that people with any colour vision tell apart, also in grey print.

Blue, vermilion and black are those of Okabe and Ito's palette; the reference is a neutral grey.

References
----------
M. Okabe, K. Ito: Color Universal Design (2008), https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

REFERENCE = "#7a828c"
BEFORE = "#d55e00"
AFTER = "#0072b2"
NOVEL = "#000000"

INK = "#1f2933"
FAINT = "#66707c"
RULE = "#d5dae0"
