"""What Prometheus may ask: Argo CD Image Updater's names where it has them, and how long the way of an image takes."""

from shared.telemetry import metrics

pushed = metrics.counter("image_updater_pushes", "Image pushes that were heard of", ("outcome",))
commits = metrics.counter("image_updater_commits", "Commits that were pushed", ("kind",))
retries = metrics.counter("image_updater_push_retries", "Commits that were built anew because the branch had moved", ())
updated = metrics.counter("image_updater_images_updated", "Images set to another version", ())
errors = metrics.counter("image_updater_images_errors", "Images that could not be updated", ("reason",))
