"""What a person does on the account pages, over HTTP."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

PASSWORD = "salt-lamp-47-rain"
NEW_PASSWORD = "nine-bells-at-dusk"


def writer(name: str = "yan", email: str = "") -> User:
    return User.objects.create_user(name, email, PASSWORD)


def sign_in(client: Client, name: str = "yan", password: str = PASSWORD) -> Any:
    return client.post("/login", {"username": name, "password": password})


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def sign_up(client: Client, name: str = "yan", email: str = "yan@example.org") -> Any:
    data = {"username": name, "email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post("/accounts/signup/", data)


def mail_to(address: str) -> mail.EmailMessage:
    """The newest message to an address."""
    found = [message for message in mail.outbox if message.to == [address]]
    assert found, f"no mail to {address}"
    return found[-1]


def link_in(message: mail.EmailMessage) -> str:
    """The path of the one link in a message."""
    (path,) = re.findall(r"http://testserver(/\S+)", str(message.body))
    return str(path)


def confirm(client: Client, address: str) -> None:
    path = link_in(mail_to(address))
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 302
