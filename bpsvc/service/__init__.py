"""The use cases: what bpsvc can be asked to do. The command line and Python programs call these; nothing here
prints.
"""
