"""Forms for people and programs: what is written for them, and what comes back filled in."""
