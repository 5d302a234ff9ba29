"""What is new: works that the catalogue lacks, and preprints of it that have been published."""
