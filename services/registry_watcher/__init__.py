"""Knows which tags the images in use have, and says when one appears or moves.

Hears   `hooks.registry` (a hint: one HEAD of the tag decides), its own poll (one request for each repository that sends
        no webhooks), and the requests `registry.tags`, `registry.digest`, `registry.verify`, `registry.watch`.
Says    `delivery.image.pushed` when a tag that somebody watches is new or means another digest than before.
Owns    registry credentials (pull Secrets, registries.conf, docker config and its helpers), the bucket
        `registry-watches` (who is interested in what), and `<data>/registry`: a file for each repository with its tags,
        their digests, and what images are made of, which is kept by digest and never asked twice.
Never   pulls a layer, pushes anything, or asks a registry about images that nobody watches, whoever sends a webhook.
A crash costs latency: what is new since the last list is found by the next one; what was found and not yet announced
stands in the repository's file.
"""
