"""The vision worker and the analysis of recordings, wired to this site."""
