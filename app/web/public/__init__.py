"""The public door: reading, signing, confirming, and the signer's own page."""
