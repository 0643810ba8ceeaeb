"""What Prometheus sees of Rollouts, Experiments and AnalysisRuns: Argo Rollouts' names, labels and values, so that
dashboards and alerts go on working.

In: the watches, and how long passes took. Out: samples, made when somebody scrapes; of an object that has not changed
since the last scrape nothing is read again. Never: work for metrics when an object changes, but for counting a pass.
"""
