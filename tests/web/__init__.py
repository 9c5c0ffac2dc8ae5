"""HTTP as all services speak it, asked over real sockets."""
