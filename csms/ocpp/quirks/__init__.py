"""What is known of real stations, as data: one TOML file per maker, and the settings they use.

A row says who does what, where that was reported, and how csms meets it. Where a general rule
is enough it has no settings; where it is not, the settings say what to do differently, and each
of them acts in exactly one place. No code asks for a vendor.
"""
