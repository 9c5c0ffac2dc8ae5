"""What metrics knows, as pure functions: facts to counts, facts to publications, and the board that readers see."""
