"""The embedded engine: AWS on this computer, made of MiniStack behind a gate, with a state folder that lasts.

Knows AWS and MiniStack; must not know what the deployed stack is for. `local.engine` is the way in for those
who use it. POSIX only: it rests on flock, fork and process groups.
"""
