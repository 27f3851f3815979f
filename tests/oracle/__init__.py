"""An independent token game and random diagrams to hold the engine against. Written from BPMN 2.0, not from the engine."""
