"""What the workflows on GitHub ask for: forms that become pull requests, and the review of a pull request.

Nothing that a stranger wrote reaches a shell: events are read from their file, and GitHub is spoken to by `api.py`.
"""
