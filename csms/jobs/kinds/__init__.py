"""One file per job kind: how to make its submission, and how to run one item."""
