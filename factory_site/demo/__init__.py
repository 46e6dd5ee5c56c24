"""The demo site: its rows, and footage composed from pictures that packages carry."""
