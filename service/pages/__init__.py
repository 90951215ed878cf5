"""What teachers see: server-rendered pages that work on a phone, without scripts and without the network."""
