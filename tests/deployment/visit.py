"""A short visit to an installation: ``python -m tests.deployment.visit SITE CERTIFICATE PASSWORD
look|save``. ``save`` saves one chapter more and awaits its analysis. Prints what there is as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.deployment.writer import TEXT, Site
from tests.waiting import wait_for


def look(site: Site) -> dict[str, Any]:
    """Novels, and of each the text of its chapters and how many people its bible knows."""
    novels = {}
    for novel in site.call("GET", "/api/projects", 200):
        path = f"/api/projects/{novel['id']}"
        chapters = [
            site.call("GET", f"/api/chapters/{chapter['id']}", 200)["content"]
            for chapter in site.call("GET", f"{path}/chapters", 200)
        ]
        people = site.call("GET", f"{path}/bible", 200)["characters"]
        novels[novel["id"]] = [novel["title"], chapters, len(people)]
    told = site.call("GET", "/api/async-analysis/notifications?limit=100", 200)
    return {"novels": novels, "notifications": sorted(each["id"] for each in told)}


def save(site: Site) -> None:
    novels = site.call("GET", "/api/projects", 200)
    if not novels:
        novels = [site.call("POST", "/api/projects", 201, json={"title": "雾海听钟"})]
    path = f"/api/projects/{novels[0]['id']}/chapters"
    task = site.call("POST", path, 201, json={"content": TEXT})["analysis"]["id"]
    status = f"/api/async-analysis/tasks/{task}"
    wait_for(lambda: site.call("GET", status, 200)["status"] == "completed", "its analysis")


def main(name: str, certificate: str, password: str, what: str) -> None:
    site = Site(name, certificate)
    site.sign_in("admin", password)
    if what == "save":
        save(site)
    print(json.dumps(look(site)))


if __name__ == "__main__":
    main(*sys.argv[1:])
