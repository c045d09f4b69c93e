"""A whole novel as one file that another installation, or this one, takes back."""
