"""Accounts: sign-up, passwords, e-mail addresses, sessions; most of it by django-allauth."""
