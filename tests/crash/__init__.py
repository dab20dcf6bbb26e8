"""Kill -9 at random moments of real work, open again, and hold what is there against what was acknowledged (`make crash`)."""
