"""From choices to a plan: pure arithmetic, no cloud and no file is touched."""
