"""What operators do to a case that has stopped: incidents, suspending, moving, passing over, correcting, ending."""
