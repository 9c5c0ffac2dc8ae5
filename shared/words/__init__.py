"""What more than one service says to people, in Japanese and English."""
