"""What the registry watcher counts. Labels are few: never a repository, which users choose without bound."""

from shared.telemetry import metrics

hooks = metrics.counter("registry_hooks", "Webhooks by what became of them", ("outcome",))
lists = metrics.seconds("registry_list", "One list of a repository's tags, all its pages")
looks = metrics.seconds("registry_look", "One look at a tag")
failures = metrics.counter("registry_failures", "Lists and looks that failed", ("reason",))
pushed = metrics.counter("registry_pushed", "Announced tags", ("source",))
dropped = metrics.counter("registry_tags_dropped", "Tags left out because they break the grammar")
images = metrics.gauge("registry_images", "Repositories that are watched")
facts = metrics.counter("registry_facts", "Manifests and configs fetched")
