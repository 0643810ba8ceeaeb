"""`tiphys doctor`: what is wrong with this installation, and what to do about it.

Each check gives findings and changes nothing. One that cannot be made because an earlier one failed is left out.
"""

from services.cli.doctor.examine import examine

__all__ = ["examine"]
