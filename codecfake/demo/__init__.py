"""The demo's corpora: synthetic speech in the official layouts, so that every stage runs without a download."""
