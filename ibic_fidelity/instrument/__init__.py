"""What an instrument is: its model, how it is read, and what can be said about it without data."""
