"""What happens: sessions (勉強会・集まり), archives and publications; and the clock of a replayed year."""
