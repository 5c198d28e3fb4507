"""The walk through the choices, in Textual. The only place that imports it."""
