"""Actions of a resource that an Application manages: which there are, and doing one. The reconciler answers.

In: the Application, the resource, who asks. Out: names and parameters, or what was changed. Whether that person may do
it is for whoever asks on a person's behalf; whether the Application's project permits it is looked at by the
reconciler. `request_id` makes a question that is asked twice one action.
"""

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.app import ResourceRef
from shared.events.message import Message


class ActionParameter(Message):
    name: str
    default: str = ""


class ResourceAction(Message):
    name: str
    disabled: bool = Field(default=False, description="It exists, but makes no sense as the object is now")
    display_name: str = ""
    icon_class: str = ""
    parameters: tuple[ActionParameter, ...] = ()


class ResourceActions(Message):
    actions: tuple[ResourceAction, ...] = ()


class ListActions(Message):
    """Which actions does this resource have now? Reasons: ApplicationNotFound, ResourceNotFound, NotPermitted,
    ScriptFailed.
    """

    subject: ClassVar[str] = "app.actions.list"

    namespace: str = Field(description="The Application's")
    name: str
    resource: ResourceRef

    @classmethod
    def read_reply(cls, data: bytes) -> ResourceActions:
        return ResourceActions.from_bytes(data)


class ActionChange(Message):
    operation: Literal["create", "patch"]
    resource: ResourceRef


class ActionDone(Message):
    changes: tuple[ActionChange, ...] = Field(default=(), description="Empty: there was nothing to change")


class RunAction(Message):
    """Do one action. Reasons: those of ListActions, and UnknownAction, ActionDisabled, BadParameters, Refused."""

    subject: ClassVar[str] = "app.actions.run"

    request_id: str = Field(min_length=1, description="Chosen by who asks; the same one is done once")
    namespace: str = Field(description="The Application's")
    name: str
    resource: ResourceRef
    action: str
    parameters: dict[str, str] = Field(default_factory=dict)
    requested_by: str = Field(default="", description="Who asks, for the Event and the history")

    @classmethod
    def read_reply(cls, data: bytes) -> ActionDone:
        return ActionDone.from_bytes(data)


ACTION_REQUESTS: tuple[type[Message], ...] = (ListActions, RunAction)
