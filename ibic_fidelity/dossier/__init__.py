"""Does the instrument measure it: the statistics that each component's measurement model asks for."""
