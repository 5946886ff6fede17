"""Augmentation of training clips, bona fide and spoof alike: noise, rooms, compression and other distortions."""
