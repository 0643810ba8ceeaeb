"""What `tiphys proj` does: AppProjects read, changed by pure functions, checked, and written as kubectl would."""
