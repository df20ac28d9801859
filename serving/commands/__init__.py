"""The `barn` commands beside `serve`; each module holds a few that belong together."""
