"""MongoDB of metrics: counts and publications per generation, the board under its revision, browsers' sessions."""
