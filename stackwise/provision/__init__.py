"""The way to servers: providers, keys, ssh. The only place that imports libcloud."""
