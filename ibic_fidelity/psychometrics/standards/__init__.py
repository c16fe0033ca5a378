"""Standard setting: where a cut lies, how sure that is, and how well sites are classified by it."""
