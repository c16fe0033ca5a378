"""What may leave the house: scores with what could show a person's answers taken out."""
