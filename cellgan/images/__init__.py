"""Adversarial games on images: one file a variant."""
