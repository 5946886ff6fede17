"""What an experiment file says, read and checked as a whole, on the site that runs it."""
