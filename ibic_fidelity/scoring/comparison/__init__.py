"""Sites against each other, their peers, an earlier wave, other sources and other weights, from raw scores."""
