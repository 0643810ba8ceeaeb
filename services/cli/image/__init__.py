"""`tiphys image ...`: questions to image_updater over the bus, and their answers for people. `view` is pure."""
