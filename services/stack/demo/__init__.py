"""`tiphys demo`: everything up, three sample Applications, a pushed change, and its way with the time of each step.

In: options. Out: a stack that goes on running, with its git server. Repeating it goes on from where things are.
"""

from services.stack.demo.show import Shown, show

__all__ = ["Shown", "show"]
