"""From one form of a filter to another: Python over torch, in double precision."""
