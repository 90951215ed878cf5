"""What coaches and teachers said about lists they were shown, and how it changes the next model version."""
