"""What a walk through the choices knows and does, whichever way it is shown: on screens or as plain questions."""
