"""bpsvc measured: against other programs (`make bench`), against published results (`make published`)."""
