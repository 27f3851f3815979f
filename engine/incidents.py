"""What can stop a step: the command is rolled back, an incident is recorded, and other cases go on."""


class Stuck(Exception):
    """An element could not be carried out. ``kind`` is what ``Incident.kind`` says."""

    def __init__(self, kind: str, process: str, element: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.process = process
        self.element = element
        self.message = message
