"""Augmentation of training clips: what may happen to speech on its way to a listener, bona fide and spoof alike."""
