"""Other packages' names for what polezero does, so that a project switches by one import."""

from polezero.compat import torchaudio

__all__ = ["torchaudio"]
