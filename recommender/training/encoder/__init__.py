"""Fine-tunes the text encoder and turns it into weights the engine can run; needs the `training` extra (torch)."""
