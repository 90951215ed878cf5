"""Files other systems speak: cases and observation exports in, rankings and rejects out."""
