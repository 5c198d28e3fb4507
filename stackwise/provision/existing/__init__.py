"""A server that is there already: looked at first, prepared over ssh, and left as it was when the site goes."""
