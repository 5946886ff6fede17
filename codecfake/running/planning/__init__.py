"""What a run will take, before it starts: jobs, hours, bytes and files, step by step; and whether the disk holds it."""
