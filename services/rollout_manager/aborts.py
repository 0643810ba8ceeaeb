"""What an aborted update leaves behind: the mark that keeps self-heal from writing it again. Pure."""

from services.rollout_manager.draft import Draft
from shared.events import ABORTED, DELIVERY, Aborted, aborted


def mark(draft: Draft) -> None:
    """Say of which delivery the update was aborted, for as long as neither git nor a person has moved on.

    Going back to another template leaves the mark: that is what it is for. Beginning the same one again takes it away.
    """
    annotations, hash_ = draft.seen.rollout.metadata.annotations, draft.seen.hash
    known = aborted(annotations)
    if draft.aborted:
        if known is None or known.hash != hash_:
            draft.annotations[ABORTED] = Aborted(hash_, annotations.get(DELIVERY, "")).written()
    elif ABORTED in annotations and (known is None or known.hash == hash_):
        draft.annotations[ABORTED] = None
