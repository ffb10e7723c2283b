"""`report.html`: what `report.json` says, as one file that opens anywhere without a network."""
