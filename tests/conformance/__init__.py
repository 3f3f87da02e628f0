"""The cases of the OCA certification programme that concern a CSMS, named by their ids."""
