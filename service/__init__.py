"""The web over the engine: a scoring API for other apps and one page for a teacher."""
