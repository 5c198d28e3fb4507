def render_overlay(p, d):
    return {}
