"""Cytometry: AnnData in, AnnData out."""
