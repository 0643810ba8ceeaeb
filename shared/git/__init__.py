"""Git without a checkout: bare mirrors, trees read from the object database, changes between two commits.

Nothing here runs a git command or a hook, and no file of a repository is ever written to a work tree.
"""
