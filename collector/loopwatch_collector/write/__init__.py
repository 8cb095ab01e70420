"""The room between journal and store: decode, normalise, price, insert."""
