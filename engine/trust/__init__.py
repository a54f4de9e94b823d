"""Whether what is stored can be believed: anchors and verification of the audit trail, and the keyring's rotation."""
