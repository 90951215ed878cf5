"""Who asks, and how often they may: people by a session on the pages, apps by a key."""
