"""The page that every domain ends in: one self-contained HTML file; it knows no domain."""
