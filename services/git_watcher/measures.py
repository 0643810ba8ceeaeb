"""What the git watcher counts. Labels are few: never a repository, which users choose without bound."""

from shared.telemetry import metrics

hooks = metrics.counter("git_hooks", "Webhooks by what became of them", ("outcome",))
looks = metrics.seconds("git_look", "One look at a remote, fetch included")
movements = metrics.counter("git_movements", "Announced movements of refs", ("source",))
announced = metrics.seconds("git_hook_to_revision", "From the webhook's arrival to the announced revision")
repositories = metrics.gauge("git_repositories", "Repositories that are watched")
failing = metrics.gauge("git_repositories_failing", "Watched repositories whose last look failed")
failed_polls = metrics.counter("git_polls_failed", "Polls that could not read their repository")
