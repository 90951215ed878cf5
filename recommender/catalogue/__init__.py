"""Skills, their neighbours and their crosswalk to rubrics: data files and the loader that validates them."""
