"""Segmentation of MRI volumes, adversarially: NIfTI in, NIfTI out."""
