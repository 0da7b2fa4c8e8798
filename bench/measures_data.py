"""The measures of sealed objects and of functions over data, beside those of measures.py: same form."""

ALL = {}
