"""From material to files: pictures, tables, the page, and their publication."""
