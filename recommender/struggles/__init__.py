"""Text in, evidence per skill out: encoder, text model, screening."""
