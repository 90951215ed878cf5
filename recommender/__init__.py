"""The growth-area recommender: a teacher's struggle in, ranked narrow teaching skills with reasons out."""
