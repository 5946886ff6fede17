"""Laundering ladders: evaluated audio of both keys, degraded alike, step by step."""
