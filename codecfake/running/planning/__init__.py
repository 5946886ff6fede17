"""The cost of a run before it starts: jobs, hours, bytes and files of each step; and whether it fits on the disk."""
