"""Reading and writing of audio in one place, audio shards and their index, loose files."""
